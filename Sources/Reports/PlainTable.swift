/// How tables of runs are printed.
public enum ComparisonFormat: String, CaseIterable, Sendable {
  case text, csv, markdown, json
}

/// A table of texts, rendered for a terminal, a spreadsheet or a document.
public struct PlainTable: Sendable {
  public let header: [String]
  public let rows: [[String]]
  /// Of the columns after the first `labels`.
  public let alignment: TextTable.Alignment
  /// Columns that are labels, aligned to the left.
  public let labels: Int

  public init(header: [String], rows: [[String]], alignment: TextTable.Alignment = .right, labels: Int = 1) {
    self.header = header
    self.rows = rows
    self.alignment = alignment
    self.labels = labels
  }

  /// - Precondition: the format is not JSON, which has a form of its own.
  public func rendered(as format: ComparisonFormat) -> String {
    switch format {
    case .text:
      var table = TextTable(header.enumerated().map { ($1, $0 < labels ? .left : alignment) })
      for row in rows { table.add(row) }
      return table.text
    case .csv: return ([header] + rows).map { $0.map(CellText.csv).joined(separator: ",") + "\n" }.joined()
    case .markdown:
      let rule = header.indices.map { $0 < labels || alignment == .left ? "---" : "---:" }
      let lines = [header, rule] + rows.map { $0.map(CellText.markdown) }
      return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    case .json: preconditionFailure("PlainTable: JSON is not made of cells")
    }
  }

  /// With rows and columns exchanged.
  public func transposed() -> PlainTable {
    let table = [header] + rows
    let turned = header.indices.map { column in table.map { $0[column] } }
    return PlainTable(header: turned[0], rows: Array(turned.dropFirst()), alignment: alignment, labels: 1)
  }
}

/// Cells of tables in other forms than text. Works on scalars: to Swift, a character followed by a combining mark is
/// another character.
enum CellText {
  static func csv(_ cell: String) -> String {
    cell.unicodeScalars.contains { [",", "\"", "\n", "\r"].contains($0) }
      ? "\"" + replacing("\"", with: "\"\"", in: cell) + "\"" : cell
  }

  static func markdown(_ cell: String) -> String { replacing("|", with: "\\|", in: cell) }

  private static func replacing(_ scalar: Unicode.Scalar, with text: String, in cell: String) -> String {
    cell.unicodeScalars.map { $0 == scalar ? text : String($0) }.joined()
  }
}
