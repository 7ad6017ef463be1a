/// A finished table: labels, then columns in pairs of what the paper reports and what a run gave.
public struct ReportTable: Sendable {
  /// Short, for files: `table-2`.
  let id: String
  let title: String
  /// Headers of the labels.
  let labels: [String]
  /// Headers of all other columns.
  let columns: [String]
  /// As many cells as labels and columns; a cell that nothing was run for is empty.
  let rows: [[String]]
  let note: String?
  /// Of the columns that aren't labels.
  var alignment = TextTable.Alignment.right

  /// - Parameter run: what to call the run, such as `miniature, seed 2020`.
  public func rendered(as format: TableFormat, run: String) -> String {
    let header = labels + columns
    switch format {
    case .text: return text(header, run: run)
    case .csv:
      return ([["table", "run"] + header] + rows.map { [id, run] + $0 }).map { row in
        row.map(ReportTable.quoted).joined(separator: ",") + "\n"
      }.joined()
    case .markdown:
      let rule = header.indices.map { $0 < labels.count || alignment == .left ? "---" : "---:" }
      let lines = [header, rule] + rows.map { $0.map { ReportTable.replacing("|", with: "\\|", in: $0) } }
      let table = lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
      return "### \(title)\n\nThis run: \(run).\n\n\(table)" + (note.map { "\n\($0)\n" } ?? "")
    }
  }

  private func text(_ header: [String], run: String) -> String {
    var table = TextTable(header.enumerated().map { ($1, $0 < labels.count ? .left : alignment) })
    for row in rows { table.add(row) }
    return "\(title)\nthis run: \(run)\n\n\(table.text)" + (note.map { "\n\($0)\n" } ?? "")
  }

  private static func quoted(_ cell: String) -> String {
    cell.unicodeScalars.contains { [",", "\"", "\n", "\r"].contains($0) }
      ? "\"" + replacing("\"", with: "\"\"", in: cell) + "\"" : cell
  }

  /// Scalar by scalar: a sign with a combining mark behind it is another character to Swift alone.
  private static func replacing(_ scalar: Unicode.Scalar, with text: String, in cell: String) -> String {
    cell.unicodeScalars.map { $0 == scalar ? text : String($0) }.joined()
  }
}

public enum TableFormat: String, CaseIterable, Sendable {
  case text, csv, markdown
}
