import Determinism
import Testing

@testable import Search

@Suite("FactorScreen")
struct FactorScreenTests {
  private static let seeds = Seeds(kind: "test", seed: 0)

  /// Sixteen models with ten factors of three levels each, drawn from a stream.
  private static func factors(_ name: String, models: Int = 16, count: Int = 10) -> [Factor] {
    (0..<count).map { i in
      var random = seeds.stream("\(name)/\(i)")
      return Factor("factor \(i)", levels: ["a", "b", "c"], values: (0..<models).map { _ in random.below(3) })
    }
  }

  private static func noise(_ name: String, models: Int = 16) -> [Double] {
    var random = seeds.stream("\(name)/noise")
    return (0..<models).map { _ in random.normal() }
  }

  /// Fat that doughnuts absorb (Snedecor and Cochran, Statistical Methods): four fats, six batches each. p is by
  /// `scipy.stats.f_oneway` of SciPy 1.17.1; the sums of squares are 1,636.5 of 3,654.5.
  @Test("one factor is the analysis of variance of the textbook")
  func oneWay() throws {
    let batches: [[Double]] = [
      [64, 72, 68, 77, 56, 95], [78, 91, 97, 82, 85, 77], [75, 93, 78, 71, 63, 76], [55, 66, 49, 64, 70, 68],
    ]
    let factor = Factor(
      "fat", levels: ["1", "2", "3", "4"], values: (0..<4).flatMap { [Int](repeating: $0, count: 6) })
    let screen = FactorScreen(batches.flatMap(\.self), factors: [factor], seeds: Self.seeds)
    let effect = try #require(screen.effects.first)
    #expect(effect.degrees == 3 && abs(effect.share - 1636.5 / 3654.5) < 1e-12)
    #expect(abs(effect.pValue - 0.006875947754735094) < 1e-12)
    #expect(abs(effect.adjusted - (1 - (1 - 1636.5 / 3654.5) * 23 / 20)) < 1e-12)
    // Of 999 random orders some seven do as well.
    #expect((0.001...0.02).contains(effect.pValueAmongAll), "\(effect)")
    let means = factor.means(of: batches.flatMap(\.self))
    #expect(means.map(\.mean) == [72, 85, 76, 62])
    // The mean square inside batches is 100.9.
    #expect(abs(try #require(means[0].standardError) - (100.9 / 6).squareRoot()) < 1e-12)
  }

  @Test("a number takes one degree of freedom, and its share is the squared correlation")
  func number() throws {
    let factor = Factor("layers", numbers: [0, 1, 2, 3, 1])
    let effect = try #require(
      FactorScreen([1, 2, 2.5, 5, 1], factors: [factor], seeds: Self.seeds).effects.first)
    // numpy.corrcoef of both, squared.
    #expect(effect.degrees == 1 && abs(effect.share - 0.8477564102564099) < 1e-12)
  }

  @Test("planted effects are found in order of size, and nothing else")
  func planted() throws {
    let factors = Self.factors("planted", models: 24)
    let noise = Self.noise("planted", models: 24)
    let qualities = (0..<24).map { i in
      6 * Double(factors[3].values[i]) + (factors[7].values[i] == 2 ? 5 : 0) + 0.3 * noise[i]
    }
    let screen = FactorScreen(qualities, factors: factors, seeds: Self.seeds)
    #expect(screen.effects[0].factor == 3 && screen.effects.count == 10)
    #expect(screen.steps.map(\.effect.factor).prefix(2) == [3, 7])
    let last = try #require(screen.steps.last)
    #expect(last.together > 0.98 && last.togetherAdjusted <= last.together)
    #expect(abs(screen.steps.reduce(0) { $0 + $1.effect.share } - last.together) < 1e-12)
  }

  @Test("of pure noise, one experiment in twenty seems to have a factor, although the least of ten p-values is small")
  func chance() {
    var (amongAll, alone) = (0, 0)
    for trial in 0..<40 {
      let screen = FactorScreen(
        Self.noise("chance/\(trial)"), factors: Self.factors("chance/\(trial)"), seeds: Self.seeds, most: 1)
      if screen.effects[0].pValueAmongAll <= 0.05 { amongAll += 1 }
      if screen.effects[0].pValue <= 0.05 { alone += 1 }
    }
    #expect(amongAll <= 6 && alone >= 10, "\(amongAll) and \(alone) of 40")
  }

  @Test("factors that do not vary or say everything are left out, and equal ones keep their order")
  func degenerate() {
    let qualities: [Double] = [1, 2, 4, 3]
    let constant = Factor("constant", levels: ["a"], values: [0, 0, 0, 0])
    let full = Factor("each its own", levels: ["a", "b", "c", "d"], values: [0, 1, 2, 3])
    let (half, same) = (
      Factor("half", levels: ["no", "yes"], values: [0, 0, 1, 1]),
      Factor("not half", levels: ["yes", "no"], values: [1, 1, 0, 0])
    )
    let screen = FactorScreen(qualities, factors: [constant, full, same, half], seeds: Self.seeds)
    #expect(screen.effects.map(\.factor) == [2, 3])
    #expect(FactorScreen([2, 2, 2, 2], factors: [half], seeds: Self.seeds).effects.isEmpty)
    #expect(FactorScreen([], factors: [], seeds: Self.seeds).effects.isEmpty)
  }

  /// The least times five, the next times four, and so on, but never less than one before.
  @Test("Holm's p-values are those of the definition")
  func holm() {
    #expect(
      zip(MultipleTests.holm([0.01, 0.04, 0.03, 0.005, 0.6]), [0.04, 0.09, 0.09, 0.025, 0.6])
        .allSatisfy { abs($0 - $1) < 1e-15 })
  }
}
