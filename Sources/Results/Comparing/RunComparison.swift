import ArtifactStore
import Determinism
import PipelineModel

/// Runs, or instances of a fanned-out stage, beside each other: what they were told otherwise, and what came out.
public struct RunComparison: Sendable {
  /// One run, or one element of a run.
  public struct Row: Sendable {
    public var title: String
    /// ID of the run.
    public var run: String
    /// By name; `stage.parameter`, or that of the run as a whole, such as `seed`.
    public var parameters: [String: CanonicalValue]
    /// By name: `stage.metric`.
    public var metrics: [String: CanonicalValue]

    public init(
      title: String, run: String, parameters: [String: CanonicalValue], metrics: [String: CanonicalValue]
    ) {
      self.title = title
      self.run = run
      self.parameters = parameters
      self.metrics = metrics
    }
  }

  public internal(set) var rows: [Row]

  public init(rows: [Row]) { self.rows = rows }

  /// Names of parameters whose values are not all the same, or that some row has not. Parameters of several stages with
  /// one name and equal values are one column, named after the first of them.
  public var changedParameters: [String] {
    let names = Set(rows.flatMap(\.parameters.keys)).sortedByBytes()
    var columns = [[CanonicalValue?]: [String: String]]()
    return names.filter { name in
      let column = rows.map { $0.parameters[name] }
      guard Set(column).count > 1 else { return false }
      let leaf = RunComparison.leaf(of: name)
      if columns[column]?[leaf] != nil { return false }
      columns[column, default: [:]][leaf] = name
      return true
    }
  }

  /// `recipe.rate` of `train.recipe.rate`.
  private static func leaf(of name: String) -> String {
    guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) else { return name }
    return String(name[name.utf8.index(after: dot)...])
  }

  /// All metrics, in the order of their names.
  public var metricNames: [String] { Set(rows.flatMap(\.metrics.keys)).sortedByBytes() }

  /// Those that are not the same in all rows.
  public var changedMetrics: [String] {
    metricNames.filter { name in Set(rows.map { $0.metrics[name] }).count > 1 }
  }

  /// Rows that have these values, compared as text.
  /// - Throws: code `badReference` for a parameter that no row has.
  public func filtered(by conditions: [(name: String, value: String)]) throws -> RunComparison {
    var copy = self
    for (name, value) in conditions {
      try requireParameter(name)
      copy.rows.removeAll { row in row.parameters[name].map(MetricSummary.text) != value }
    }
    return copy
  }

  func requireParameter(_ name: String) throws {
    let known = Set(rows.flatMap(\.parameters.keys))
    guard !known.contains(name) else { return }
    throw PipelineError(
      .badReference,
      "no parameter '\(name.clipped(to: 100))' in what is compared\(Suggestion.text(for: name, among: Array(known)))")
  }

  /// Rows by a metric, the largest first, or by a parameter, the smallest first; those without it come last.
  /// - Throws: code `badReference` for a name that no row has.
  public func sorted(by name: String, ascending: Bool) throws -> RunComparison {
    let isMetric = metricNames.contains(name)
    guard isMetric || rows.contains(where: { $0.parameters[name] != nil }) else {
      let known = metricNames + Set(rows.flatMap(\.parameters.keys))
      throw PipelineError(
        .badReference, "no metric or parameter '\(name.clipped(to: 100))'\(Suggestion.text(for: name, among: known))")
    }
    let rises = isMetric ? ascending : true
    func value(_ row: Row) -> CanonicalValue? { isMetric ? row.metrics[name] : row.parameters[name] }
    var copy = self
    copy.rows = rows.enumerated().sorted { a, b in
      guard let x = value(a.element) else { return value(b.element) == nil && a.offset < b.offset }
      guard let y = value(b.element) else { return true }
      if x == y { return a.offset < b.offset }
      return rises == ValueOrder.precedes(x, y)
    }.map(\.element)
    return copy
  }
}

/// An order of values: numbers first, also where they are written as text, then texts by their bytes.
enum ValueOrder {
  static func number(_ value: CanonicalValue) -> Double? {
    value.numberValue ?? value.stringValue.flatMap { Double($0) }
  }

  static func precedes(_ a: CanonicalValue, _ b: CanonicalValue) -> Bool {
    switch (number(a), number(b)) {
    case (let x?, let y?): x < y
    case (.some, nil): true
    case (nil, .some): false
    case (nil, nil): MetricSummary.text(a).precedesInBytes(MetricSummary.text(b))
    }
  }
}
