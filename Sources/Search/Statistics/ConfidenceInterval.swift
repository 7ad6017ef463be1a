/// Where a quantity lies, with a confidence of 95 % unless something else is said.
public struct ConfidenceInterval: Hashable, Sendable, Codable {
  public var lower: Double
  public var upper: Double

  public init(_ lower: Double, _ upper: Double) { (self.lower, self.upper) = (lower, upper) }

  /// Of a quantity that is estimated with a standard error.
  ///
  /// - Parameters:
  ///   - degreesOfFreedom: of the standard error.
  ///   - risk: the probability of lying outside.
  public init(_ estimate: Double, standardError: Double, degreesOfFreedom: Int, risk: Double = 0.05) {
    let reach =
      standardError * StudentDistribution(degreesOfFreedom: Double(degreesOfFreedom)).exceeded(with: risk)
    self.init(estimate - reach, estimate + reach)
  }

  /// The percentile interval of a bootstrap (Efron and Tibshirani 1993, section 13.3): of 1,999 values the 50th from
  /// below and from above. Nil for fewer than 39 values, of which none is so far outside.
  public init?(percentilesOf values: [Double], risk: Double = 0.05) {
    let outside = Int((Double(values.count + 1) * risk / 2).rounded(.down))
    guard outside > 0 else { return nil }
    let sorted = values.sorted()
    self.init(sorted[outside - 1], sorted[sorted.count - outside])
  }

  public var width: Double { upper - lower }
}

/// A mean of values that were measured independently, such as differences in pairs, with its 95 % interval by Student's t.
public struct MeanEstimate: Hashable, Sendable {
  public let mean: Double
  public let count: Int
  /// Sample standard deviation of the values; nil for a single one.
  public let deviation: Double?
  /// Nil for a single value.
  public let interval: ConfidenceInterval?
  /// Two-sided, of the hypothesis that the expectation is 0; nil for a single value, and where all values are equal.
  public let pValue: Double?

  /// - Returns: nil for no values.
  public init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    count = values.count
    mean = values.reduce(0, +) / Double(values.count)
    guard values.count > 1 else {
      (deviation, interval, pValue) = (nil, nil, nil)
      return
    }
    let centre = mean
    let squares = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
    let deviation = (squares / Double(values.count - 1)).squareRoot()
    let error = deviation / Double(values.count).squareRoot()
    self.deviation = deviation
    interval = ConfidenceInterval(mean, standardError: error, degreesOfFreedom: values.count - 1)
    pValue =
      error > 0 ? StudentDistribution(degreesOfFreedom: Double(values.count - 1)).twoSidedTail(mean / error) : nil
  }
}
