import Search

/// The mean of some independent values with its 95 % confidence interval by Student's t, as it stands in an artifact.
struct MeanInterval: Codable, Hashable, Sendable {
  let mean: Double
  let low: Double
  let high: Double
  /// Standard deviation of the values.
  let deviation: Double

  /// How many standard errors the interval of a mean of so many values reaches.
  static func reach(of count: Int) -> Double {
    StudentDistribution(degreesOfFreedom: Double(count - 1)).exceeded(with: 0.05)
  }

  /// - Parameter reach: of as many values; thousands of intervals share it.
  /// - Precondition: at least two values.
  init(_ values: [Double], reach: Double) {
    precondition(values.count > 1, "MeanInterval: \(values.count) values")
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
    let half = reach * deviation / count.squareRoot()
    (self.mean, low, high, self.deviation) = (mean, mean - half, mean + half, deviation)
  }
}
