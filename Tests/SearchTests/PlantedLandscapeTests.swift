import Determinism
import Foundation
import Testing

@testable import Search

/// A space small enough to look at every model: 3 backbone layers of 3 choices, 2 mask layers of 4, 2 + 1 of 2.
private let small = SearchSpace(
  backboneLayers: 3, backboneChoices: 3, maskLayers: 1, semanticLayers: 1, headChoices: 4, thingsToStuffLayers: 2,
  stuffToThingsLayers: 1, attentionChoices: 2)

extension SearchSpace {
  /// All models, in order.
  fileprivate var all: [Genome] {
    choicesPerLayer.reduce([[]]) { models, choices in models.flatMap { model in (0..<choices).map { model + [$0] } } }
      .map { Genome($0) }
  }
}

private func variance(_ values: [Double]) -> Double {
  let mean = values.reduce(0, +) / Double(values.count)
  return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
}

@Suite("PlantedLandscape")
struct PlantedLandscapeTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var effects: EffectDistribution
    var epistasis: Double
    var testDescription: String { "\(effects), \(epistasis)" }

    static let all = EffectDistribution.allCases.flatMap { effects in
      [0, 0.3, 1].map { Case(effects: effects, epistasis: $0) }
    }

    func landscape(_ space: SearchSpace, noise: Double = 0, seed: UInt64 = 5) -> PlantedLandscape {
      PlantedLandscape(
        LandscapeDescription(effects: effects, epistasis: epistasis, noise: noise), in: space,
        seeds: Seeds(kind: "test", seed: seed))
    }
  }

  @Test("over all models the mean is 0, the variance 1, and the interactions have their share", arguments: Case.all)
  func variances(_ c: Case) {
    let landscape = c.landscape(small)
    let models = small.all
    let fitness = models.map(landscape.fitness(of:))
    #expect(abs(fitness.reduce(0, +) / Double(models.count)) < 1e-12)
    #expect(abs(variance(fitness) - 1) < 1e-12)
    let main = models.map { model in
      model.choices.enumerated().reduce(0.0) { $0 + landscape.effects[$1.offset][$1.element] }
    }
    #expect(abs(variance(main) - (1 - c.epistasis)) < 1e-12)
    #expect(abs(variance(zip(fitness, main).map { $0 - $1 }) - c.epistasis) < 1e-12)
    for table in landscape.interactions {
      #expect(table.allSatisfy { abs($0.reduce(0, +)) < 1e-12 })
      #expect(table[0].indices.allSatisfy { column in abs(table.reduce(0) { $0 + $1[column] }) < 1e-12 })
    }
  }

  @Test("optimum and minimum are those of all models", arguments: Case.all)
  func extremes(_ c: Case) throws {
    for seed in 1...4 as ClosedRange<UInt64> {
      let landscape = c.landscape(small, seed: seed)
      let models = small.all
      let fitness = models.map(landscape.fitness(of:))
      let (best, worst) = (landscape.optimum, landscape.minimum)
      #expect(abs(best.fitness - fitness.max()!) < 1e-12 && abs(worst.fitness - fitness.min()!) < 1e-12)
      #expect(best.fitness == landscape.fitness(of: best.genome))
      try best.genome.validate(in: small)
      if c.epistasis < 1 {
        #expect(best.genome == models[fitness.indices.max { fitness[$0] < fitness[$1] }!])
        #expect(worst.genome == models[fitness.indices.min { fitness[$0] < fitness[$1] }!])
      }
    }
  }

  @Test("the layers have the shares of their distribution")
  func shares() {
    func shares(_ effects: EffectDistribution) -> [Double] {
      Case(effects: effects, epistasis: 0).landscape(.published).effects.map(variance)
    }
    #expect(shares(.equal).allSatisfy { abs($0 - 1 / 56.0) < 1e-12 })
    let decaying = shares(.decaying)
    let ratios = zip(decaying, decaying.dropFirst()).map { $0 / $1 }
    #expect(abs(decaying[0] / decaying[55] - 100) < 1e-9)
    #expect(ratios.allSatisfy { abs($0 - ratios[0]) < 1e-9 })
    let few = shares(.few).sorted()
    #expect(few[51...].allSatisfy { abs($0 - 0.16) < 1e-12 } && few[..<51].allSatisfy { abs($0 - 0.2 / 51) < 1e-12 })
    let parts = shares(.parts)
    for part in SearchSpace.Part.allCases {
      let share = parts[SearchSpace.published.range(of: part)].reduce(0, +)
      #expect(abs(3 * share - 1) < 1e-12)
    }
  }

  @Test("layers without a choice have no share, and a space without choices or neighbours is refused")
  func degenerate() {
    var space = small
    space.headChoices = 1
    let landscape = Case(effects: .few, epistasis: 0.5).landscape(space)
    #expect(landscape.effects[3] == [0] && landscape.interactions[3] == [[0]])
    #expect(abs(variance(space.all.map(landscape.fitness(of:))) - 1) < 1e-12)
    space.attentionChoices = 1
    space.backboneLayers = 1
    #expect(LandscapeDescription(epistasis: 0).objection(in: space) == nil)
    #expect(LandscapeDescription(epistasis: 0.1).objection(in: space)?.contains("neighbouring") == true)
    space.backboneChoices = 1
    #expect(LandscapeDescription(epistasis: 0).objection(in: space)?.contains("no layer") == true)
  }

  @Test("noise belongs to seed, model and evaluation, whatever was evaluated before")
  func noise() {
    let landscape = Case(effects: .equal, epistasis: 0.2).landscape(.published, noise: 3)
    let models = RandomSearch(count: 2000).candidates(seeds: Seeds(kind: "models", seed: 1))
    func noise(_ landscape: PlantedLandscape, _ model: Genome, _ evaluation: Int = 0) -> Double {
      landscape.evaluate(model, evaluation: evaluation) - landscape.fitness(of: model)
    }
    let there = models.map { noise(landscape, $0) }
    #expect(Array(models.reversed().map { noise(landscape, $0) }.reversed()) == there)
    #expect(Set(there).count == models.count)
    let again = models.map { noise(landscape, $0, 1) }
    let otherSeed = Case(effects: .equal, epistasis: 0.2).landscape(.published, noise: 3, seed: 6)
    let other = models.map { noise(otherSeed, $0) }
    let error = 1 / 2000.0.squareRoot()
    for values in [there, again, other] {
      let mean = values.reduce(0, +) / 2000
      let excess = variance(values) / 9 - 1
      // Four standard errors each.
      #expect(abs(mean) < 12 * error && abs(excess) < 6 * error)
    }
    for values in [again, other] {
      let products = zip(there, values).map { $0 * $1 / 9 }
      let correlation = products.reduce(0, +) / 2000
      #expect(abs(correlation) < 4 * error)
    }
  }

  @Test("a landscape is the same on every machine")
  func golden() throws {
    let landscape = Case(effects: .decaying, epistasis: 0.25).landscape(small, noise: 0.5, seed: 2020)
    let value: CanonicalValue = [
      "effects": try CanonicalValue(encoding: landscape.effects),
      "interactions": try CanonicalValue(encoding: landscape.interactions),
      "evaluations": try CanonicalValue(encoding: small.all.prefix(8).map { landscape.evaluate($0, evaluation: 3) }),
      "optimum": try CanonicalValue(encoding: landscape.optimum.genome),
    ]
    #expect(value.digest.hex == "c34700fa0c638065d7fd26dc42f4369000bf38463d667374e96f147d13cc7b45")
  }
}
