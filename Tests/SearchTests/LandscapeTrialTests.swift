import Determinism
import Testing

@testable import Search

@Suite("LandscapeTrial")
struct LandscapeTrialTests {
  private static let trial = LandscapeTrial(
    landscape: PlantedLandscape(
      LandscapeDescription(effects: .parts, epistasis: 0.4, noise: 1.5), in: .published,
      seeds: Seeds(kind: "landscape", seed: 3)),
    seeds: .init(
      pathPriority: Seeds(kind: "a", seed: 3), evolution: Seeds(kind: "b", seed: 3), random: Seeds(kind: "c", seed: 3)),
    evaluations: [7, 12, 60, 120, 130])

  @Test("policies find what their searches find when they run alone")
  func policies() throws {
    let trial = Self.trial
    func fitness(_ genome: Genome) -> Double { trial.landscape.evaluate(genome) }
    let fair = try trial.fairModels()
    let courses = try trial.pathPriority(fair)
    #expect(courses.map(\.policy) == ["path-priority", "path-priority-met"])
    #expect(courses[0].evaluations == [12, 60, 120, 130] && courses[1].evaluations == trial.evaluations)
    for (place, cycles) in [(0, 1), (1, 5), (2, 10), (3, 10)] {
      let search = PathPrioritySearch(cycles: cycles)
      let result = try search.run(seeds: trial.seeds.pathPriority, fitness: fitness)
      #expect(courses[0].regret[place] == trial.regret(of: result.best))
    }
    let met = try #require(RandomSearch.best(of: Array(fair.prefix(60))))
    #expect(courses[1].regret[2] == trial.regret(of: met.genome))

    var evolution = EvolutionarySearch()
    (evolution.population, evolution.generations) = (20, 6)
    let course = try trial.evolution(evolution, named: "e", evaluations: 120)
    let history = try evolution.run(seeds: trial.seeds.evolution, fitness: fitness)
    #expect(course.evaluations == [7, 12, 60, 120])
    for (count, regret) in zip(course.evaluations, course.regret) {
      let best = try #require(RandomSearch.best(of: Array(history.prefix(count))))
      #expect(regret == trial.regret(of: best.genome))
    }

    let random = trial.random(trial.randomModels())
    let models = RandomSearch(count: 130).candidates(seeds: trial.seeds.random)
    let best = models.map { Evaluation(genome: $0, fitness: fitness($0)) }
    #expect(random[0].regret[4] == trial.regret(of: try #require(RandomSearch.best(of: best)).genome))
    let five = try #require(models.prefix(5).map(trial.regret(of:)).min())
    #expect(random[1].policy == "best-of-five" && random[1].regret == [five])
  }

  @Test("regret is never negative, and 0 for the optimum alone")
  func regret() {
    let trial = Self.trial
    #expect(trial.regret(of: trial.landscape.optimum.genome) == 0)
    #expect(trial.randomModels().allSatisfy { trial.regret(of: $0.genome) > 0 })
  }

  @Test("a variant that ranks single blocks of fair models by points is the policy itself")
  func variants() throws {
    let trial = Self.trial
    let (fair, uniform) = (try trial.fairModels(), trial.randomModels())
    let variants = trial.variants(fair: fair, uniform: uniform, cycleBlocks: [1, 5])
    #expect(variants[0].policy == "cycles-of-12")
    let policy = try trial.pathPriority(fair)[0]
    #expect(variants[0].evaluations == policy.evaluations && variants[0].regret == policy.regret)
    #expect(variants[1].policy == "cycles-of-60" && variants[1].evaluations == [60, 120])
    #expect(
      variants[2...].map(\.policy) == ["fair-fitness", "uniform-points", "uniform-mean-points", "uniform-fitness"])
  }

  @Test("a tally sums and averages; a choice that no model has is no best mean")
  func tally() {
    let space = SearchSpace(
      backboneLayers: 1, backboneChoices: 3, maskLayers: 0, semanticLayers: 0, headChoices: 1, thingsToStuffLayers: 0,
      stuffToThingsLayers: 0, attentionChoices: 1)
    var tally = ChoiceTally(space: space)
    for worth in [-1.0, -2] { tally.add(Genome([1]), worth: worth) }
    #expect(tally.selection(by: .sum) == Genome([0]) && tally.selection(by: .mean) == Genome([1]))
    tally.add(Genome([2]), worth: -1)
    #expect(tally.selection(by: .mean) == Genome([2]))
  }

  @Test("an evolution that finds no new model keeps what it has")
  func exhausted() throws {
    let space = SearchSpace(
      backboneLayers: 2, backboneChoices: 2, maskLayers: 0, semanticLayers: 0, headChoices: 1, thingsToStuffLayers: 0,
      stuffToThingsLayers: 0, attentionChoices: 1)
    let trial = LandscapeTrial(
      landscape: PlantedLandscape(LandscapeDescription(noise: 0), in: space, seeds: Seeds(kind: "x", seed: 1)),
      seeds: Self.trial.seeds, evaluations: [4, 50])
    let course = try trial.evolution(EvolutionarySearch(space: space), named: "e", evaluations: 50)
    #expect(course.evaluations == [4, 50] && course.regret == [0, 0])
  }
}
