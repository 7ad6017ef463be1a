import Testing

@testable import Search

/// Expected values by SciPy 1.17.1: `stats.f.isf`, `stats.f.sf`, `stats.t.isf`, `stats.norm.sf`, `special.gammaln`,
/// `special.betainc`.
@Suite("Distributions")
struct DistributionTests {
  private func expect(_ value: Double, near expected: Double, _ relative: Double = 1e-12) {
    #expect(abs(value - expected) <= relative * abs(expected), "\(value) instead of \(expected)")
  }

  @Test(
    "quantiles of F agree with SciPy",
    arguments: [
      (1, 4, 0.05, 7.708647422176786), (15, 16, 0.025, 2.787517572434558), (15, 16, 0.975, 0.35260350125343076),
      (19, 20, 0.025, 2.4820748353134507), (2, 3, 0.5, 0.8811015779522993), (7, 200, 0.01, 2.729759010476556),
      (200, 7, 0.99, 0.3663327041552367),
    ] as [(Double, Double, Double, Double)])
  func quantilesOfF(_ a: Double, _ b: Double, _ p: Double, _ expected: Double) {
    expect(FDistribution(a, b).exceeded(with: p), near: expected)
  }

  @Test(
    "tails of F agree with SciPy",
    arguments: [
      (15, 16, 3.2, 0.013480353927865493), (1, 1, 100, 0.06345103486110713), (5, 10, 0.2, 0.9551917702464295),
      (40, 3, 12.5, 0.02950189793755937), (3, 60, 40, 2.501285713130403e-14),
    ] as [(Double, Double, Double, Double)])
  func tailsOfF(_ a: Double, _ b: Double, _ f: Double, _ expected: Double) {
    expect(FDistribution(a, b).upperTail(f), near: expected)
    #expect(FDistribution(a, b).upperTail(0) == 1 && FDistribution(a, b).upperTail(.infinity) == 0)
  }

  @Test(
    "quantiles of t agree with SciPy",
    arguments: [
      (1, 0.05, 12.706204736174705), (2, 0.05, 4.302652729749464), (4, 0.05, 2.7764451051977943),
      (9, 0.01, 3.2498355415921263), (100, 0.05, 1.983971518523552),
    ] as [(Double, Double, Double)])
  func quantilesOfT(_ degrees: Double, _ p: Double, _ expected: Double) {
    let t = StudentDistribution(degreesOfFreedom: degrees)
    expect(t.exceeded(with: p), near: expected)
    expect(t.twoSidedTail(-expected), near: p)
  }

  @Test(
    "tails of the normal distribution agree with SciPy",
    arguments: [
      (0.1, 0.920344325445942), (1, 0.31731050786291415), (1.959963984540054, 0.05), (2.5, 0.012419330651552265),
      (3.5, 0.00046525815807105003), (8, 1.244192114854348e-15),
    ] as [(Double, Double)])
  func normal(_ z: Double, _ expected: Double) { expect(NormalDistribution.twoSidedTail(-z), near: expected) }

  @Test("gamma and incomplete beta functions agree with SciPy")
  func functions() {
    for (x, expected) in [
      (0.5, 0.5723649429247), (2.5, 0.2846828704729192), (10, 12.801827480081469), (17, 30.671860106080675),
      (123.25, 468.6144829505166),
    ] {
      expect(SpecialFunctions.logGamma(x), near: expected, 1e-13)
    }
    #expect(abs(SpecialFunctions.logGamma(1)) < 1e-13)
    for (x, a, b, expected) in [
      (0.3, 2, 5, 0.5798250000000003), (0.9, 0.5, 0.5, 0.7951672353008665), (0.01, 10, 0.5, 1.770034965528571e-21),
      (0.5, 80, 90, 0.7790749157559088),
    ] as [(Double, Double, Double, Double)] {
      expect(SpecialFunctions.incompleteBeta(x, complement: 1 - x, a, b), near: expected)
    }
  }

  @Test("a mean has the interval and the p-value of Student's t")
  func mean() throws {
    // scipy.stats.ttest_1samp([1.2, -0.3, 2.5], 0) and its confidence_interval().
    let estimate = try #require(MeanEstimate([1.2, -0.3, 2.5]))
    expect(estimate.mean, near: 1.1333333333333333)
    expect(try #require(estimate.pValue), near: 0.2962336603390582)
    expect(try #require(estimate.interval).lower, near: -2.347415513626545)
    expect(try #require(estimate.interval).upper, near: 4.614082180293211)
    #expect(MeanEstimate([]) == nil && MeanEstimate([3])?.interval == nil)
    #expect(MeanEstimate([2, 2])?.pValue == nil && MeanEstimate([2, 2])?.interval?.width == 0)
  }

  @Test("of 1,999 values the 50th from both ends are the percentile interval, and 38 are too few")
  func percentiles() {
    let values = (1...1999).reversed().map(Double.init)
    #expect(ConfidenceInterval(percentilesOf: values) == ConfidenceInterval(50, 1950))
    #expect(ConfidenceInterval(percentilesOf: [Double](repeating: 1, count: 38)) == nil)
  }
}
