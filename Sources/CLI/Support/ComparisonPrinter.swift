import Determinism
import Pipelines
import Reports
import Results

/// Comparisons as tables.
struct ComparisonPrinter {
  let comparison: RunComparison
  /// Of metrics that are shown; none means all.
  let prefixes: [String]
  /// Whether metrics that are the same in all rows are shown.
  let showsAll: Bool
  let format: ComparisonFormat

  /// Wider tables are turned, where that makes them narrower.
  private static let width = 120

  private var metrics: [String] {
    (showsAll ? comparison.metricNames : comparison.changedMetrics).filter { name in
      prefixes.isEmpty || prefixes.contains { name.startsWithBytes(of: $0) }
    }
  }

  func print() {
    if format == .json { return Output.json(comparison.canonical) }
    let (parameters, metrics) = (comparison.changedParameters, self.metrics)
    var rows = comparison.rows.map { row in
      [row.title] + parameters.map { row.parameters[$0].map(ComparisonPrinter.text) ?? "" }
        + metrics.map { name in cell(MetricSummary(row.metrics[name].map { [$0] } ?? [])) }
    }
    if rows.count > 2, format != .csv {
      rows.append(
        ["all"] + parameters.map { _ in "" }
          + metrics.map { name in cell(MetricSummary(comparison.rows.compactMap { $0.metrics[name] })) })
    }
    write(PlainTable(header: ["run"] + parameters + metrics, rows: rows, labels: 1 + parameters.count))
    note(metrics)
  }

  func print(_ grouped: GroupedComparison, sort: String?, ascending: Bool) throws {
    if format == .json { return Output.json(grouped.canonical(metrics: comparison.metricNames)) }
    let metrics = self.metrics
    var groups = grouped.groups
    if let sort, sort != grouped.name {
      guard comparison.metricNames.contains(sort) else {
        throw PipelineError(
          .badReference, "no metric '\(sort.clipped(to: 100))'; --sort takes a metric, or \(grouped.name)")
      }
      groups = groups.enumerated().sorted { a, b in
        let (x, y) = (a.element.summary(sort).mean, b.element.summary(sort).mean)
        guard let x else { return y == nil && a.offset < b.offset }
        guard let y else { return true }
        return x == y ? a.offset < b.offset : (x < y) == ascending
      }.map(\.element)
    }
    if format == .csv {
      let header = [grouped.name] + metrics.flatMap { ["\($0) mean", "\($0) deviation", "\($0) count"] }
      let rows = groups.map { group in
        [ComparisonPrinter.text(group.value)]
          + metrics.flatMap { name -> [String] in
            let summary = group.summary(name)
            guard let mean = summary.mean else { return [summary.text, "", "\(summary.values.count)"] }
            return ["\(mean)", summary.deviation.map { "\($0)" } ?? "", "\(summary.numbers.count)"]
          }
      }
      return write(PlainTable(header: header, rows: rows))
    }
    var rows = groups.map { group in [ComparisonPrinter.text(group.value)] + metrics.map { group.summary($0).text } }
    if groups.count > 1 {
      rows.append(["all"] + metrics.map { name in MetricSummary(comparison.rows.compactMap { $0.metrics[name] }).text })
    }
    write(PlainTable(header: [grouped.name] + metrics, rows: rows))
    if !grouped.others.isEmpty {
      let over = grouped.others.map { "\($0.name) (\(Units.count($0.count, "value")))" }.joined(separator: ", ")
      Output.error("mean ± standard deviation (number of values), over \(over)")
    }
    note(metrics)
  }

  /// Of text a few digits, of CSV all.
  private func cell(_ summary: MetricSummary) -> String {
    if format == .csv, summary.values.count == 1 { return ComparisonPrinter.text(summary.values[0]) }
    return summary.text
  }

  static func text(_ value: CanonicalValue) -> String { value.stringValue ?? value.canonicalText }

  private func write(_ table: PlainTable) {
    let text = table.rendered(as: format)
    if format == .text, width(text) > ComparisonPrinter.width {
      let turned = table.transposed().rendered(as: format)
      if width(turned) < width(text) { return Output.write(turned.printable, to: 1) }
    }
    Output.write(text.printable, to: 1)
  }

  private func width(_ text: String) -> Int { text.split(separator: "\n").map(\.count).max() ?? 0 }

  private func note(_ shown: [String]) {
    if comparison.metricNames.isEmpty {
      Output.error(
        "no stage of these runs measures anything; a command declares 'metrics: metrics.json' for that")
    } else if !showsAll {
      let hidden = comparison.metricNames.count - comparison.changedMetrics.count
      if hidden > 0 { Output.error("\(Units.count(hidden, "metric")) the same in all rows; --all shows them") }
    }
  }
}
