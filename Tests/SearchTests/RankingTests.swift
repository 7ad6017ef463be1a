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
  }

  @Test("models that differ no more than their repetitions have no variance between them")
  func noise() throws {
    let components = try #require(VarianceComponents([[1, 3], [3, 1], [2, 2]]))
    #expect(components.between == 0 && components.reliability == 0 && components.within > 1)
  }

  @Test("no components exist without variance, with one model or with one repetition")
  func undefined() {
    #expect(VarianceComponents([[1, 1], [1, 1]]) == nil && VarianceComponents([[1, 2]]) == nil)
    #expect(VarianceComponents([[1], [2]]) == nil && VarianceComponents([]) == nil)
  }
}
