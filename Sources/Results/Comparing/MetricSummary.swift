import Determinism
import PipelineModel

/// One value, or the mean of several numbers with their standard deviation.
public struct MetricSummary: Sendable, Equatable {
  /// In the order of the rows that they are of.
  public let values: [CanonicalValue]

  public init(_ values: [CanonicalValue]) { self.values = values }

  public var numbers: [Double] { values.compactMap(\.numberValue) }

  /// Nil where there is no number.
  public var mean: Double? {
    let numbers = numbers
    guard let first = numbers.first else { return nil }
    return numbers.count == 1 ? first : numbers.reduce(0, +) / Double(numbers.count)
  }

  /// Of the sample; nil of fewer than two numbers.
  public var deviation: Double? {
    let numbers = numbers
    guard numbers.count > 1, let mean else { return nil }
    let squares = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(numbers.count - 1)).squareRoot()
  }

  /// Empty, a value, or `12.34 ± 0.56 (3)`. Words that are not all the same have no mean.
  public var text: String {
    guard let first = values.first else { return "" }
    if let mean {
      guard let deviation else { return History.text(mean) }
      // As many decimals as the mean has.
      let spread = History.digits(of: mean).map { deviation.text(digits: $0) } ?? History.text(deviation)
      return "\(History.text(mean)) ± \(spread) (\(numbers.count))"
    }
    return values.allSatisfy { $0 == first } ? MetricSummary.text(first) : "\(Set(values).count) values"
  }

  static func text(_ value: CanonicalValue) -> String { value.stringValue ?? value.canonicalText }

  var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = ["values": .array(values), "count": .integer(values.count)]
    if let mean { members["mean"] = .measure(mean) }
    if let deviation { members["deviation"] = .measure(deviation) }
    return .object(members)
  }
}
