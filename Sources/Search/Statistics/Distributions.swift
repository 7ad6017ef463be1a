import Determinism

/// The F distribution: ratios of mean squares.
public struct FDistribution: Hashable, Sendable {
  /// Degrees of freedom of numerator and denominator.
  public let numerator: Double
  public let denominator: Double

  /// - Precondition: both are positive.
  public init(_ numerator: Double, _ denominator: Double) {
    precondition(numerator > 0 && denominator > 0, "FDistribution: \(numerator), \(denominator) degrees of freedom")
    (self.numerator, self.denominator) = (numerator, denominator)
  }

  /// Probability of a ratio of at least `f`; 0 for infinity.
  public func upperTail(_ f: Double) -> Double {
    guard f > 0 else { return 1 }
    guard f.isFinite else { return 0 }
    let sum = numerator * f + denominator
    return SpecialFunctions.incompleteBeta(
      denominator / sum, complement: numerator * f / sum, denominator / 2, numerator / 2)
  }

  /// The ratio that is exceeded with a probability, by bisection to the last bit.
  /// - Precondition: `probability` is in 0...1, both ends excluded.
  public func exceeded(with probability: Double) -> Double {
    precondition(probability > 0 && probability < 1, "FDistribution: probability \(probability)")
    var (low, high) = (1.0, 1.0)
    while upperTail(low) < probability, low > 1e-300 { low /= 2 }
    while upperTail(high) > probability, high < 1e300 { high *= 2 }
    while true {
      let middle = low + (high - low) / 2
      guard middle > low, middle < high else { return middle }
      if upperTail(middle) > probability { low = middle } else { high = middle }
    }
  }
}

/// Student's t distribution.
public struct StudentDistribution: Hashable, Sendable {
  private let squares: FDistribution

  /// - Precondition: positive.
  public init(degreesOfFreedom: Double) { squares = FDistribution(1, degreesOfFreedom) }

  /// Probability of a t at least as far from 0 as this one.
  public func twoSidedTail(_ t: Double) -> Double { squares.upperTail(t * t) }

  /// The t that |t| exceeds with a probability: 2.776 for 0.05 and four degrees of freedom.
  public func exceeded(with probability: Double) -> Double { squares.exceeded(with: probability).squareRoot() }
}

/// The standard normal distribution.
public enum NormalDistribution {
  /// Probability of a value at least as far from 0 as this one.
  public static func twoSidedTail(_ z: Double) -> Double { SpecialFunctions.erfc(abs(z) / 2.0.squareRoot()) }
}
