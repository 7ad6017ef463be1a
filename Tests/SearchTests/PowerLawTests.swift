import Determinism
import Testing

@testable import Search

@Suite("PowerLaw")
struct PowerLawTests {
  private static let seeds = Seeds(kind: "test", seed: 0)

  @Test("a curve without noise is found, and says where it gets", arguments: [0.3, 0.5, 1, 2])
  func exact(_ exponent: Double) throws {
    let sizes: [Double] = [250, 500, 1000, 2000, 4000]
    func truth(_ n: Double) -> Double { 0.6 - 0.5 * PortableMath.pow(n / 250, -exponent) }
    let law = try #require(PowerLaw(sizes: sizes, values: sizes.map(truth)))
    #expect(abs(law.exponent / exponent - 1) < 1e-4 && abs(law.limit - 0.6) < 1e-4 && law.deviation < 1e-6, "\(law)")
    #expect(abs(law.value(at: 16_000) - truth(16_000)) < 1e-4)
    #expect(abs(try #require(law.size(reaching: truth(8000))) / 8000 - 1) < 0.01)
    #expect(law.size(reaching: 0.65) == nil)
  }

  @Test("an independent least-squares fit gives the same curve")
  func reference() throws {
    // scipy.optimize.curve_fit of SciPy 1.17.1 with bounds on c of 0.05 and 3.
    let law = try #require(
      PowerLaw(
        sizes: [250, 500, 1000, 2000, 4000, 250, 500, 1000, 2000, 4000],
        values: [0.21, 0.33, 0.44, 0.49, 0.55, 0.18, 0.35, 0.41, 0.51, 0.54]))
    #expect(abs(law.limit - 0.65090021) < 1e-4 && abs(law.exponent - 0.52410618) < 1e-4, "\(law)")
    #expect(abs(law.deviation - 0.0145881764) < 1e-6)
  }

  @Test("resampled curves cover the limit that was planted")
  func resampled() throws {
    let lengths: [Double] = [250, 500, 1000, 2000, 4000]
    let sizes = lengths + lengths
    var random = Self.seeds.stream("noise")
    let values = sizes.map { 0.6 - 0.4 * PortableMath.pow($0 / 250, -0.6) + 0.01 * random.normal() }
    let law = try #require(PowerLaw(sizes: sizes, values: values))
    let others = law.resampled(sizes: sizes, values: values, draws: 199, seeds: Self.seeds)
    let interval = try #require(ConfidenceInterval(percentilesOf: others.map(\.limit)))
    #expect(interval.lower < 0.6 && interval.upper > 0.6 && interval.width > 0.01, "\(interval)")
  }

  @Test("equal values are a level that reaches nothing else", arguments: [0.1, 0.3, 7])
  func level(_ value: Double) throws {
    let law = try #require(
      PowerLaw(sizes: [100, 200, 400, 800, 1600], values: [Double](repeating: value, count: 5)))
    #expect(law.factor == 0 && abs(law.limit - value) < 1e-12)
    #expect(law.size(reaching: value) == nil && law.size(reaching: 2 * value) == nil && law.size(reaching: 0) == nil)
  }

  @Test("fewer than four values or three sizes are no curve")
  func tooFew() {
    #expect(PowerLaw(sizes: [1, 2, 3], values: [1, 2, 3]) == nil)
    #expect(PowerLaw(sizes: [1, 1, 2, 2], values: [1, 2, 3, 4]) == nil)
  }
}
