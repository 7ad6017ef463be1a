/// The mean of some independent values and its 95 % confidence interval by Student's t.
public struct MeanInterval: Codable, Hashable, Sendable {
  public let mean: Double
  public let low: Double
  public let high: Double
  /// Standard deviation of the values.
  public let deviation: Double

  /// - Precondition: at least four values.
  public init(_ values: [Double]) {
    precondition(values.count >= 4, "MeanInterval: \(values.count) values")
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
    let half = MeanInterval.quantile(freedom: count - 1) * deviation / count.squareRoot()
    (self.mean, low, high, self.deviation) = (mean, mean - half, mean + half, deviation)
  }

  /// The 0.975 quantile of Student's t by its expansion in 1 / ν (Abramowitz and Stegun 26.7.5); within 0.2 % from three
  /// degrees of freedom on, 0.02 % from five.
  static func quantile(freedom: Double) -> Double {
    let z = 1.959963984540054
    let terms = [[1.0, 1], [3, 16, 5], [-15, 17, 19, 3], [-945, -1920, 1482, 776, 79]]
    let divisors = [4.0, 96, 384, 92160]
    var (sum, power) = (z, 1.0)
    for (coefficients, divisor) in zip(terms, divisors) {
      power *= freedom
      let polynomial = coefficients.reversed().reduce(0) { $0 * z * z + $1 } * z
      sum += polynomial / (divisor * power)
    }
    return sum
  }
}
