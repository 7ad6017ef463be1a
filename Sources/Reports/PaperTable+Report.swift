import Determinism

/// Results of runs by row; several where there are several seeds.
public typealias PaperResults = [PaperResult: [QualityResult]]

extension PaperTable {
  /// The table with two columns a metric: what the paper reports, and what this run gave. A cell that nothing was run
  /// for is empty.
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

  /// Nothing, a number, or mean ± standard deviation of several.
  private static func summary(_ values: [Double]) -> String {
    guard let first = values.first else { return "" }
    if values.count == 1 { return first.text(digits: 1) }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(values.count - 1)).squareRoot()
    return "\(mean.text(digits: 1)) ± \(deviation.text(digits: 1)) (\(values.count))"
  }
}
