import Determinism
import Testing

@testable import Search

private let seeds = Seeds(kind: "test", seed: 9)

@Suite("RandomSearch")
struct RandomSearchTests {
  @Test("a longer search begins with the models of a shorter one; the earliest of equally good models is the best")
  func random() {
    let long = RandomSearch(count: 30).candidates(seeds: seeds)
    #expect(RandomSearch(count: 10).candidates(seeds: seeds) == Array(long[..<10]))
    #expect(Set(long).count == 30)
    let evaluations = zip(long, [1.0, 3, 2, 3]).map { Evaluation(genome: $0, fitness: $1) }
    #expect(RandomSearch.best(of: evaluations)?.genome == long[1])
  }
}

@Suite("EvolutionarySearch")
struct EvolutionarySearchTests {
  @Test("proposes no model twice, mutates the fittest, and improves")
  func evolution() throws {
    let goal = Architecture.publishedCOCO.genome.choices
    func fitness(_ genome: Genome) -> Double { Double(zip(genome.choices, goal).count { $0 == $1 }) }
    var search = EvolutionarySearch()
    search.generations = 20
    let history = try search.run(seeds: seeds, fitness: fitness)
    #expect(history.count == 1000 && Set(history.map(\.genome)).count == 1000)
    for evaluation in history { try evaluation.genome.validate(in: .published) }
    let (first, last) = (history.prefix(50).map(\.fitness).max()!, history.map(\.fitness).max()!)
    #expect(last > first + 5)
    // The first 20 of a generation are mutants of the ten fittest, with a tenth of the genes redrawn.
    let parents = Leaderboard.ranking(Array(history.prefix(950))).prefix(10).map { history[$0].genome.choices }
    for child in history[950..<970] {
      let distance = parents.map { parent in zip(parent, child.genome.choices).count { $0 != $1 } }.min()!
      #expect(distance <= 16)
    }
    #expect(
      try search.candidates(generation: 5, history: Array(history.prefix(250)), seeds: seeds)
        == history[250..<300].map(\.genome))
  }

  @Test("ends with an error in a space without new models")
  func tinySpace() throws {
    let space = SearchSpace(
      backboneLayers: 2, backboneChoices: 2, maskLayers: 0, semanticLayers: 0, headChoices: 1, thingsToStuffLayers: 0,
      stuffToThingsLayers: 0, attentionChoices: 1)
    let search = EvolutionarySearch(space: space)
    let all = try search.candidates(generation: 0, history: [], seeds: seeds)
    #expect(Set(all).count == 4 && all.count == 4)
    let error = try #require(throws: SearchError.self) {
      try search.candidates(
        generation: 1, history: all.map { Evaluation(genome: $0, fitness: 0) }, seeds: seeds)
    }
    #expect(error.code == .exhausted)
  }
}
