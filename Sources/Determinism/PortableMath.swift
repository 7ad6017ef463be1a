/// Binary64 functions built from basic IEEE operations only, so that every machine computes the same bits
/// (numerics 8).
///
/// They serve schedules, box coders and samplers, which need thousands of values, not millions; kernels have their own
/// binary32 versions. Accuracy is a few ulp, which the tests check against Foundation.
public enum PortableMath {
  private static let ln2High = 0x1.62e42fefa3800p-1
  private static let ln2Low = 0x1.ef35793c76730p-45

  /// e^x. Overflows to infinity, underflows to zero.
  public static func exp(_ x: Double) -> Double {
    if x.isNaN { return x }
    if x > 709.78 { return .infinity }
    if x < -745.2 { return 0 }
    // x = k ln 2 + r with |r| <= ln 2 / 2; ln 2 in two parts keeps r exact to the last bits.
    let k = (x * 1.4426950408889634).rounded(.toNearestOrEven)
    let r = (x - k * ln2High) - k * ln2Low
    // Taylor series to degree 13: the remainder is below 2^-57 of the sum.
    var term = 1.0
    for n in stride(from: 13.0, through: 1.0, by: -1.0) { term = 1 + r / n * term }
    return scale(term, by: Int(k))
  }

  /// The natural logarithm; NaN below zero, -infinity at zero.
  public static func log(_ x: Double) -> Double {
    if x.isNaN || x < 0 { return .nan }
    if x == 0 { return -.infinity }
    if x == .infinity { return x }
    var k = Int(x.exponent)
    var m = x.significand
    if m > 1.4142135623730951 {
      m *= 0.5
      k += 1
    }
    // log m = 2 artanh s, s = (m - 1) / (m + 1), |s| < 0.1716: odd series to s^23.
    let s = (m - 1) / (m + 1)
    let z = s * s
    var sum = 0.0
    for n in stride(from: 23.0, through: 3.0, by: -2.0) { sum = (sum + 1 / n) * z }
    let head = 2 * s
    return Double(k) * ln2High + (head + (head * sum + Double(k) * ln2Low))
  }

  /// The base-2 logarithm; exact for powers of two.
  public static func log2(_ x: Double) -> Double {
    guard x > 0, x.isFinite else { return log(x) }
    var k = Double(x.exponent)
    var m = x.significand
    if m > 1.4142135623730951 {
      m *= 0.5
      k += 1
    }
    return k + log(m) * 1.4426950408889634
  }

  /// base^exponent for a positive base.
  public static func pow(_ base: Double, _ exponent: Double) -> Double { exp(exponent * log(base)) }

  /// See `sincos`.
  public static func cos(_ x: Double) -> Double { sincos(x).cos }
  /// See `sincos`.
  public static func sin(_ x: Double) -> Double { sincos(x).sin }

  /// Sine and cosine of an angle in radians; accurate for |x| up to some thousands.
  public static func sincos(_ x: Double) -> (sin: Double, cos: Double) {
    // x = k pi/2 + r; pi/2 in three parts (33 bits each for the first two).
    let k = (x * 0.6366197723675814).rounded(.toNearestOrEven)
    let r = ((x - k * 0x1.921fb54400000p+0) - k * 0x1.0b4611a600000p-34) - k * 0x1.3198a2e037073p-69
    let z = r * r
    var s = 0.0
    for n in stride(from: 17.0, through: 3.0, by: -2.0) { s = (1 + s) * (-z / (n * (n - 1))) }
    var c = 0.0
    for n in stride(from: 18.0, through: 2.0, by: -2.0) { c = (1 + c) * (-z / (n * (n - 1))) }
    let sine = r + r * s
    let cosine = 1 + c
    return switch Int(k) & 3 {
    case 0: (sine, cosine)
    case 1: (cosine, -sine)
    case 2: (-sine, -cosine)
    default: (-cosine, sine)
    }
  }

  private static func scale(_ x: Double, by k: Int) -> Double {
    // Two steps, so that results in the subnormal range round once.
    let half = k / 2
    return x * Double(sign: .plus, exponent: half, significand: 1)
      * Double(sign: .plus, exponent: k - half, significand: 1)
  }
}
