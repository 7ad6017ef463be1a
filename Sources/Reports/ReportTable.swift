/// A table ready to be rendered: label columns, then pairs of columns for the paper's value and that of a run.
public struct ReportTable: Sendable {
  /// A short name for files: `table-2`.
  let id: String
  let title: String
  /// Headers of the label columns.
  let labels: [String]
  /// Headers of all other columns.
  let columns: [String]
  /// One cell per column; empty where nothing was run.
  let rows: [[String]]
  let note: String?
  /// Alignment of the columns that aren't labels.
  var alignment = TextTable.Alignment.right

  /// The table as text.
  /// - Parameter run: a description of the run, such as `miniature, seed 2020`.
  public func rendered(as format: TableFormat, run: String) -> String {
    let header = labels + columns
    switch format {
    case .text: return text(header, run: run)
    case .csv:
      return ([["table", "run"] + header] + rows.map { [id, run] + $0 }).map { row in
        row.map(CellText.csv).joined(separator: ",") + "\n"
      }.joined()
    case .markdown:
      let rule = header.indices.map { $0 < labels.count || alignment == .left ? "---" : "---:" }
      let lines = [header, rule] + rows.map { $0.map(CellText.markdown) }
      let table = lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
      return "### \(title)\n\nThis run: \(run).\n\n\(table)" + (note.map { "\n\($0)\n" } ?? "")
    }
  }

  private func text(_ header: [String], run: String) -> String {
    var table = TextTable(header.enumerated().map { ($1, $0 < labels.count ? .left : alignment) })
    for row in rows { table.add(row) }
    return "\(title)\nthis run: \(run)\n\n\(table.text)" + (note.map { "\n\($0)\n" } ?? "")
  }
}

/// How tables are rendered.
public enum TableFormat: String, CaseIterable, Sendable {
  case text, csv, markdown
}
