import Determinism
import Testing

@testable import Search

@Suite("RankCorrelation")
struct RankCorrelationTests {
  /// By `scipy.stats.kendalltau` of SciPy 1.17.1.
  @Test(
    "Kendall's tau agrees with SciPy",
    arguments: [
      ([1, 2, 3, 4], [1, 2, 3, 4], 1.0), ([1, 2, 3, 4], [4, 3, 2, 1], -1.0),
      ([12, 2, 1, 12, 2], [1, 4, 7, 1, 0], -0.4714045207910316),
      ([1, 1, 2, 3, 3, 5], [2, 1, 2, 2, 4, 3], 0.6405126152203486),
      ([0.5, 0.25, 0.75, 0.1, 0.9, 0.3, 0.6], [0.2, 0.4, 0.1, 0.5, 0.35, 0.45, 0.15], -0.6190476190476191),
    ] as [([Double], [Double], Double)])
  func kendall(_ x: [Double], _ y: [Double], _ expected: Double) throws {
    let tau = try #require(RankCorrelation.kendall(x, y))
    #expect(abs(tau - expected) < 1e-15)
    #expect(RankCorrelation.kendall(y, x) == tau)
  }

  @Test("no tau exists for fewer than two values or for values that are all equal")
  func undefined() {
    #expect(RankCorrelation.kendall([], []) == nil && RankCorrelation.kendall([1], [2]) == nil)
    #expect(RankCorrelation.kendall([1, 1, 1], [1, 2, 3]) == nil)
  }
}

@Suite("RankAgreement")
struct RankAgreementTests {
  private static let seeds = Seeds(kind: "test", seed: 0)

  /// By `scipy.stats.kendalltau` of SciPy 1.17.1, which counts orders where there are no ties, too.
  @Test(
    "p-values of Kendall's tau agree with SciPy",
    arguments: [
      ([1, 2, 3, 4], [1, 2, 3, 4], .exact, 0.08333333333333333),
      ([0.5, 0.25, 0.75, 0.1, 0.9, 0.3, 0.6], [0.2, 0.4, 0.1, 0.5, 0.35, 0.45, 0.15], .exact, 0.06904761904761905),
      (
        (0..<16).map(Double.init), [3, 0, 1, 2, 7, 5, 4, 6, 9, 12, 8, 10, 15, 11, 13, 14], .exact,
        4.724511813632184e-06
      ),
      ([12, 2, 1, 12, 2], [1, 4, 7, 1, 0], .normal, 0.28274545993277467),
      ([1, 1, 2, 3, 3, 5], [2, 1, 2, 2, 4, 3], .normal, 0.09577258478155487),
    ] as [([Double], [Double], RankAgreement.Test, Double)])
  func pValues(_ x: [Double], _ y: [Double], _ test: RankAgreement.Test, _ expected: Double) throws {
    let found = try #require(RankAgreement(x, y, seeds: Self.seeds))
    #expect(found.test == test && abs(found.pValue - expected) < 1e-12 * expected, "\(found)")
    #expect(found.tau == RankCorrelation.kendall(x, y))
  }

  @Test("exact and approximate p-values are close for many models")
  func approximation() {
    for balance in [0, 100, 300, 600] {
      let values = (0..<60).map(Double.init)
      let (exact, normal) = (
        RankAgreement.exactTail(balance, 60), RankAgreement.normalTail(balance, values, values)
      )
      #expect(abs(exact - normal) < 0.01, "\(balance): \(exact) and \(normal)")
    }
  }

  @Test("the bootstrap's interval has tau inside, is 1 for one order, and covers a true tau as often as it says")
  func coverage() throws {
    let same = try #require(RankAgreement([1, 2, 3, 4, 5], [2, 3, 5, 7, 9], seeds: Self.seeds))
    #expect(same.interval == ConfidenceInterval(1, 1))
    #expect(RankAgreement([1, 2, 3], [1, 3, 2], seeds: Self.seeds)?.interval == nil)
    // Two normal judges with correlation sin(pi tau / 2) have Kendall's tau. Of 30 intervals one or two miss it.
    let r = PortableMath.sin(0.2 * Double.pi)
    var missed = 0
    for trial in 0..<30 {
      var random = Self.seeds.stream("trial/\(trial)")
      let x = (0..<16).map { _ in random.normal() }
      let y = x.map { r * $0 + (1 - r * r).squareRoot() * random.normal() }
      let interval = try #require(RankAgreement(x, y, seeds: Self.seeds)?.interval)
      if interval.lower > 0.4 || interval.upper < 0.4 { missed += 1 }
    }
    #expect(missed <= 5, "\(missed)")
  }

  @Test("three judges agree by the mean over their pairs, and random orders say how often by chance")
  func three() throws {
    let judges: [[Double]] = [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 6, 5], [2, 1, 3, 4, 5, 6]]
    let found = try #require(RankAgreement(among: judges, seeds: Self.seeds))
    #expect(abs(found.tau - (13 + 13 + 11) / 45.0) < 1e-12)
    #expect(found.test == .permutation && found.pValue < 0.002)
    let strangers: [[Double]] = [[1, 2, 3, 4, 5, 6], [4, 6, 1, 3, 5, 2], [5, 2, 4, 1, 6, 3]]
    #expect(try #require(RankAgreement(among: strangers, seeds: Self.seeds)).pValue > 0.2)
    #expect(RankAgreement(among: [[1, 2]], seeds: Self.seeds) == nil)
  }
}

@Suite("VarianceComponents")
struct VarianceComponentsTests {
  /// Shrout and Fleiss 1979, tables 2 to 4: six targets, four judges, mean squares 11.24 and 6.26, ICC(1) .17.
  @Test("reliability is the intraclass correlation ICC(1) of the published example")
  func shroutAndFleiss() throws {
    let ratings: [[Double]] = [
      [9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7],
    ]
    let components = try #require(VarianceComponents(ratings))
    #expect(abs(components.within * components.within - 6.2639) < 1e-4)
    #expect(abs(4 * components.between * components.between + 6.2639 - 11.2417) < 1e-4)
    #expect(abs(components.reliability - 0.1657) < 1e-4)
    // They print -.13 to .72; a share is cut at 0.
    let interval = try #require(components.interval)
    #expect(interval.lower == 0 && abs(interval.upper - 0.722560062328121) < 1e-12)
    #expect(abs(try #require(components.pValue) - 0.16476880834463953) < 1e-12)
  }

  @Test("models that differ no more than their repetitions have no variance between them")
  func noise() throws {
    let components = try #require(VarianceComponents([[1, 3], [3, 1], [2, 2]]))
    #expect(components.between == 0 && components.reliability == 0 && components.within > 1)
  }

  /// By NumPy 2.4.6 and `scipy.stats.f` of SciPy 1.17.1 from the sums of squares.
  @Test("within the levels of a factor, what it explains counts for nothing")
  func levels() throws {
    let models: [[Double]] = [[1, 2], [3, 2.5], [2, 2.2], [7, 6], [9, 8.5], [8, 9]]
    let inside = try #require(VarianceComponents(models, levels: [0, 0, 0, 1, 1, 1]))
    #expect(abs(inside.reliability - 0.7326283987915407) < 1e-12)
    let interval = try #require(inside.interval)
    #expect(abs(interval.lower - 0.019914780378909328) < 1e-12 && abs(interval.upper - 0.9669970559942971) < 1e-12)
    #expect(abs(try #require(inside.pValue) - 0.0228189041566071) < 1e-12)
    #expect(try #require(VarianceComponents(models)).reliability > 0.95)
    // Levels move what has their factor, and nothing else.
    let moved = models.enumerated().map { i, values in values.map { $0 + (i < 3 ? 100 : 0) } }
    let same = try #require(VarianceComponents(moved, levels: [0, 0, 0, 1, 1, 1]))
    #expect(abs(same.reliability - inside.reliability) < 1e-9)
    #expect(VarianceComponents(models, levels: [0, 1, 2, 3, 4, 5]) == nil)
  }

  @Test(
    "equal measurements have no components, whatever their mean rounds to", arguments: [0.1, 0.3, 1.0 / 3, 1e-9, 1e9])
  func equal(_ value: Double) {
    for repetitions in 2...5 {
      for models in 2...9 {
        let all = [[Double]](repeating: [Double](repeating: value, count: repetitions), count: models)
        #expect(VarianceComponents(all) == nil, "\(models) models, \(repetitions) repetitions")
      }
    }
  }

  @Test("no components exist without variance, with one model or with one repetition")
  func undefined() {
    #expect(VarianceComponents([[1, 1], [1, 1]]) == nil && VarianceComponents([[1, 2]]) == nil)
    #expect(VarianceComponents([[1], [2]]) == nil && VarianceComponents([]) == nil)
  }
}
