import Determinism

/// The results of runs for each row of the tables; one for each seed.
public typealias PaperResults = [PaperResult: [QualityResult]]

extension PaperTable {
  /// The table with two columns per metric: the value that the paper reports, and that of this run. The cell is empty
  /// where nothing was run.
  public func filled(with results: PaperResults) -> ReportTable {
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
    return ReportTable(
      id: id, title: title, labels: labels,
      columns: metrics.flatMap { ["\($0.rawValue) reported", "\($0.rawValue) this run"] }, rows: cells, note: note)
  }

  /// An empty text, a number, or mean ± standard deviation (and the number of values).
  private static func summary(_ values: [Double]) -> String {
    guard let first = values.first else { return "" }
    if values.count == 1 { return first.text(digits: 1) }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(values.count - 1)).squareRoot()
    return "\(mean.text(digits: 1)) ± \(deviation.text(digits: 1)) (\(values.count))"
  }
}
