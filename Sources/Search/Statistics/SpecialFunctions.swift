import Determinism

/// Functions that probabilities are made of, from basic operations only, so that every machine computes the same bits.
/// Relative errors are some 1e-13 for the arguments that statistics of experiments have.
enum SpecialFunctions {
  /// The logarithm of the gamma function, by Stirling's series (Abramowitz and Stegun 6.1.41) from 16 on, below by
  /// Γ(x + 1) = x Γ(x).
  /// - Precondition: `x` is positive and finite.
  static func logGamma(_ x: Double) -> Double {
    precondition(x > 0 && x.isFinite, "logGamma: \(x)")
    var (x, product) = (x, 1.0)
    while x < 16 {
      product *= x
      x += 1
    }
    let z = 1 / (x * x)
    var series = 0.0
    // B(2k) / (2k (2k - 1)), k = 7 ... 1.
    for term in [1.0 / 156, -691.0 / 360_360, 1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12] {
      series = series * z + term
    }
    let halfLogTwoPi = 0.9189385332046728
    return (x - 0.5) * PortableMath.log(x) - x + halfLogTwoPi + series / x - PortableMath.log(product)
  }

  /// The regularised incomplete beta function I_x(a, b), by its continued fraction (DiDonato and Morris 1992, equation 9)
  /// with the method of Lentz.
  /// - Parameter complement: 1 - x, which the caller knows more exactly where x is near 1.
  static func incompleteBeta(_ x: Double, complement: Double, _ a: Double, _ b: Double) -> Double {
    precondition(a > 0 && b > 0 && x >= 0 && complement >= 0, "incompleteBeta: \(x), \(complement), \(a), \(b)")
    if x == 0 { return 0 }
    if complement == 0 { return 1 }
    // The fraction converges fast below the mean; above, 1 - I has the roles exchanged.
    return x > (a + 1) / (a + b + 2)
      ? 1 - betaFraction(complement, complement: x, b, a) : betaFraction(x, complement: complement, a, b)
  }

  private static func betaFraction(_ x: Double, complement: Double, _ a: Double, _ b: Double) -> Double {
    let logFactor =
      a * PortableMath.log(x) + b * PortableMath.log(complement) + logGamma(a + b) - logGamma(a) - logGamma(b)
    let tiny = 1e-300
    func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / kept(1 - (a + b) * x / (a + 1))
    var fraction = d
    for m in stride(from: 1.0, through: 10_000, by: 1) {
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / kept(1 + even * d)
      c = kept(1 + even / c)
      fraction *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / kept(1 + odd * d)
      c = kept(1 + odd / c)
      fraction *= d * c
      if abs(d * c - 1) < 1e-16 { break }
    }
    return PortableMath.exp(logFactor) * fraction / a
  }

  /// The complementary error function: the series of erf (Abramowitz and Stegun 7.1.6) up to 2, from there on the
  /// continued fraction 7.1.14, from its 80th term backward.
  static func erfc(_ x: Double) -> Double {
    if x < 0 { return 2 - erfc(-x) }
    let (z, rootPi) = (x * x, 1.7724538509055159)
    if x < 2 {
      var (term, sum) = (x, x)
      for n in stride(from: 1.0, through: 60, by: 1) {
        term *= 2 * z / (2 * n + 1)
        sum += term
      }
      return 1 - 2 / rootPi * PortableMath.exp(-z) * sum
    }
    var fraction = x
    for n in stride(from: 80.0, through: 1, by: -1) { fraction = x + n / 2 / fraction }
    return PortableMath.exp(-z) / (rootPi * fraction)
  }
}
