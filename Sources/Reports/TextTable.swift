/// Rows of text in aligned columns, for terminals and logs.
public struct TextTable: Sendable {
  /// The alignment of the cells of a column.
  public enum Alignment: Sendable { case left, right }

  private var rows: [[String]] = []
  private let alignments: [Alignment]

  /// - Parameter columns: header and alignment of each column.
  public init(_ columns: [(String, Alignment)]) {
    alignments = columns.map(\.1)
    rows = [columns.map(\.0)]
  }

  /// Adds a row.
  /// - Precondition: as many cells as columns.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == alignments.count, "TextTable: \(cells.count) cells, \(alignments.count) columns")
    rows.append(cells)
  }

  /// The table with a rule under the header; every line ends with a newline, none with a space.
  public var text: String {
    let widths = alignments.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines = rows.map { row in
      alignments.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - row[column].count)
        return alignments[column] == .left ? row[column] + padding : padding + row[column]
      }.joined(separator: "  ")
    }
    lines.insert(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "), at: 1)
    return lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) + "\n" }.joined()
  }
}
