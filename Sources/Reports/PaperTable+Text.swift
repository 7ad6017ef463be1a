/// Results of runs by row; several where there are several seeds.
public typealias PaperResults = [PaperResult: [QualityResult]]

public enum TableFormat: String, CaseIterable, Sendable {
  case text, csv, markdown
}

extension PaperTable {
  /// The table with two columns a metric: what the paper reports, and what this run gave. A cell that nothing was run
  /// for is empty.
  ///
  /// - Parameter run: what to call the run, such as `miniature, seed 2020`.
  public func rendered(as format: TableFormat, results: PaperResults, run: String) -> String {
    let header = labels + metrics.flatMap { ["\($0.rawValue) reported", "\($0.rawValue) this run"] }
    let cells = rows.map { row in
      row.labels
        + metrics.enumerated().flatMap { i, metric in
          let found = row.result.flatMap { results[$0] } ?? []
          return [
            row.reported.indices.contains(i) ? row.reported[i] ?? "" : "",
            PaperTable.summary(found.map { 100 * metric.value(of: $0) }),
          ]
        }
    }
    switch format {
    case .text: return text(header, cells, run: run)
    case .csv:
      return ([["table", "run"] + header] + cells.map { [id, run] + $0 }).map { row in
        row.map(PaperTable.quoted).joined(separator: ",") + "\n"
      }.joined()
    case .markdown:
      let lines =
        [header, header.indices.map { $0 < labels.count ? "---" : "---:" }]
        + cells.map { $0.map { $0.replacing("|", with: "\\|") } }
      let table = lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
      return "### \(title)\n\nThis run: \(run).\n\n\(table)" + (note.map { "\n\($0)\n" } ?? "")
    }
  }

  private func text(_ header: [String], _ cells: [[String]], run: String) -> String {
    var table = TextTable(header.enumerated().map { ($1, $0 < labels.count ? .left : .right) })
    for row in cells { table.add(row) }
    return "\(title)\nthis run: \(run)\n\n\(table.text)" + (note.map { "\n\($0)\n" } ?? "")
  }

  /// Nothing, a number, or mean ± standard deviation of several.
  private static func summary(_ values: [Double]) -> String {
    guard let first = values.first else { return "" }
    if values.count == 1 { return fixed(first, 1) }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return "\(fixed(mean, 1)) ± \(fixed((squares / Double(values.count - 1)).squareRoot(), 1)) (\(values.count))"
  }

  private static func quoted(_ cell: String) -> String {
    cell.contains { ",\"\n".contains($0) } ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
  }
}
