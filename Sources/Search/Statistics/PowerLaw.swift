import Determinism

/// A learning curve a + b n^-c: what a training gives by its length or its data (Hestness et al. 2017; method 16.6).
public struct PowerLaw: Hashable, Sendable {
  /// a: what no length exceeds, where the curve rises.
  public let limit: Double
  /// b: below 0 where the curve rises.
  public let factor: Double
  /// c.
  public let exponent: Double
  /// Of the values about the curve, for three parameters.
  public let deviation: Double

  /// Exponents that are tried. With a smaller one the curve is a logarithm without a limit as far as anybody can see.
  static let exponents = 0.05...3.0

  /// Least squares: a and b exactly for each exponent, the exponent on a grid and then by golden sections.
  ///
  /// - Parameters:
  ///   - sizes: positive.
  ///   - values: one of each size; a size may occur several times.
  /// - Returns: nil for fewer than four values or three different sizes.
  public init?(sizes: [Double], values: [Double]) {
    precondition(sizes.count == values.count && sizes.allSatisfy { $0 > 0 }, "PowerLaw: \(sizes), \(values)")
    guard sizes.count >= 4, Set(sizes).count >= 3 else { return nil }
    // Powers of numbers near 1 keep the sums well conditioned.
    let unit = sizes.max()!
    let logs = sizes.map { PortableMath.log($0 / unit) }
    func fitted(_ logExponent: Double) -> (limit: Double, factor: Double, squares: Double) {
      let exponent = PortableMath.exp(logExponent)
      return PowerLaw.line(logs.map { PortableMath.exp(-exponent * $0) }, values)
    }
    let low = PortableMath.log(PowerLaw.exponents.lowerBound)
    let high = PortableMath.log(PowerLaw.exponents.upperBound)
    let steps = 24
    let step = (high - low) / Double(steps)
    let grid = (0...steps).map { low + Double($0) * step }
    let best = grid.indices.min { fitted(grid[$0]).squares < fitted(grid[$1]).squares }!
    var (left, right) = (grid[max(0, best - 1)], grid[min(steps, best + 1)])
    let golden = 0.6180339887498949
    for _ in 0..<30 {
      let (a, b) = (right - golden * (right - left), left + golden * (right - left))
      if fitted(a).squares <= fitted(b).squares { right = b } else { left = a }
    }
    // A curve that is best at an end of the range is so exactly.
    let middle = (left + right) / 2
    let chosen = fitted(grid[best]).squares < fitted(middle).squares ? grid[best] : middle
    let fit = fitted(chosen)
    exponent = PortableMath.exp(chosen)
    limit = fit.limit
    factor = fit.factor * PortableMath.exp(exponent * PortableMath.log(unit))
    deviation = (fit.squares / Double(max(1, values.count - 3))).squareRoot()
  }

  /// The line of least squares through values by powers.
  private static func line(_ x: [Double], _ y: [Double]) -> (limit: Double, factor: Double, squares: Double) {
    let n = Double(x.count)
    let (centre, level) = (x.reduce(0, +) / n, y.reduce(0, +) / n)
    var (spread, common) = (0.0, 0.0)
    for (x, y) in zip(x, y) {
      spread += (x - centre) * (x - centre)
      common += (x - centre) * (y - level)
    }
    // Of equal values only rounding errors are left.
    let variation = y.reduce(0) { $0 + ($1 - level) * ($1 - level) }
    let isFlat = variation <= 1e-24 * y.reduce(0) { $0 + $1 * $1 }
    let factor = spread > 0 && !isFlat ? common / spread : 0
    let limit = level - factor * centre
    let squares = zip(x, y).reduce(0) { sum, point in
      let rest = point.1 - limit - factor * point.0
      return sum + rest * rest
    }
    return (limit, factor, squares)
  }

  /// The value of the curve.
  /// - Precondition: a positive size.
  public func value(at size: Double) -> Double { limit + factor * PortableMath.pow(size, -exponent) }

  /// The size at which the curve has a value; nil where it never has.
  public func size(reaching value: Double) -> Double? {
    let ratio = (value - limit) / factor
    guard ratio > 0, ratio.isFinite else { return nil }
    let size = PortableMath.pow(ratio, -1 / exponent)
    return size > 0 && size.isFinite ? size : nil
  }

  /// Curves through values that might have been measured instead: this curve's, with its residuals dealt out at random
  /// (Efron and Tibshirani 1993, section 9.4), enlarged for the three parameters that were fitted.
  public func resampled(sizes: [Double], values: [Double], draws: Int, seeds: Seeds) -> [PowerLaw] {
    let own = sizes.map { value(at: $0) }
    let scale = (Double(values.count) / Double(max(1, values.count - 3))).squareRoot()
    let rest = zip(values, own).map { ($0 - $1) * scale }
    return (0..<draws).compactMap { draw in
      var random = seeds.stream("residuals/\(draw)")
      return PowerLaw(sizes: sizes, values: own.map { $0 + rest[random.below(rest.count)] })
    }
  }
}
