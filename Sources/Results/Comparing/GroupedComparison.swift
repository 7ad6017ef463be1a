import Determinism
import PipelineModel

/// Rows of a comparison put together by one parameter: means over all others.
public struct GroupedComparison: Sendable {
  public struct Group: Sendable {
    public let value: CanonicalValue
    public let rows: [RunComparison.Row]
  }

  /// The parameter.
  public let name: String
  public let groups: [Group]
  /// Parameters that differ inside of groups, with their numbers of values: what the means are over.
  public let others: [(name: String, count: Int)]

  /// - Throws: code `badReference` for a parameter that no row has.
  public init(_ comparison: RunComparison, by name: String) throws {
    try comparison.requireParameter(name)
    self.name = name
    let values = Dictionary(grouping: comparison.rows) { $0.parameters[name] ?? .string("") }
    groups = values.sorted { ValueOrder.precedes($0.key, $1.key) }.map { Group(value: $0.key, rows: $0.value) }
    others = comparison.changedParameters.filter { $0 != name }.compactMap { other in
      let isMixed = values.values.contains { rows in Set(rows.map { $0.parameters[other] }).count > 1 }
      return isMixed ? (other, Set(comparison.rows.map { $0.parameters[other] }).count) : nil
    }
  }
}

extension GroupedComparison.Group {
  public func summary(_ metric: String) -> MetricSummary { MetricSummary(rows.compactMap { $0.metrics[metric] }) }
}
