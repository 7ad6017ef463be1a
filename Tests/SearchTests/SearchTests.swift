import Determinism
import Testing

@testable import Search

@Suite("Search space and genomes")
struct SearchSpaceTests {
  @Test("the published space has 56 layers, blocks of 12 and 4⁴⁰·6⁷·3⁹ models")
  func published() {
    let space = SearchSpace.published
    #expect(space.layerCount == 56 && space.blockLength == 12)
    #expect(space.size == "6661157435730850509060737951858688")
    #expect(space.range(of: .head) == 40..<47 && space.range(of: .attention) == 47..<56)
    #expect(SearchSpace(backboneLayers: 0).blockLength == 6)
    let small = SearchSpace(
      backboneLayers: 2, maskLayers: 0, semanticLayers: 0, thingsToStuffLayers: 0, stuffToThingsLayers: 0)
    #expect(small.size == "16")
  }

  @Test("published architectures are valid and survive their file form")
  func architectures() throws {
    for architecture in [Architecture.publishedCOCO, .publishedADE20K] {
      try architecture.validate()
      #expect(try Architecture(json: architecture.json, place: "file") == architecture)
      #expect(Architecture(architecture.genome) == architecture)
    }
    #expect(Architecture.publishedCOCO.choices(of: .semantic) == [2, 3, 0])
    #expect(Architecture.publishedADE20K.choices(of: .thingsToStuff) == [2, 0, 1, 1])
    #expect(DetNASBackbone.cocoFPN.count == 40 && DetNASBackbone.cocoFPN300M.count == 20)
    // Stage 3 begins with block 16.
    #expect(Array(Architecture.publishedCOCO.backbone[16..<20]) == [0, 0, 1, 0])
  }

  @Test(
    "a wrong architecture is refused with its place",
    arguments: [
      ("[]", "expected a list"), ("{\"backbone\": [1.5]}", "expected a list"),
      ("[{\"backbone\": [0], \"head\": [], \"inter\": []}]", "backbone: error: 1 choices"),
      ("{\"backbone\": [], \"backbone\": [0], \"head\": [], \"inter\": []}", "has the member 'backbone' twice"),
      ("{\"backbone\": [9223372036854775807], \"head\": [], \"inter\": []}", "backbone: error: 1 choices"),
      ("{\"backbone\": [1e300], \"head\": [], \"inter\": []}", "expected a list"), ("{\"backbone\"", "a.json"),
    ])
  func refused(_ text: String, _ words: String) throws {
    let error = try #require(throws: SearchError.self) { try Architecture(json: Array(text.utf8), place: "a.json") }
    #expect(error.description.hasPrefix("a.json") && error.description.contains(words) && error.isUserData)
  }

  @Test("a choice outside its layer is named")
  func unknownChoice() throws {
    var architecture = Architecture.publishedCOCO
    architecture.inter[3] = 3
    let error = try #require(throws: SearchError.self) { try architecture.validate() }
    #expect(error.description == "architecture: inter[3]: error: choice 3 is not in 0...2")
    var genome = Architecture.publishedCOCO.genome
    genome.choices[55] = -1
    #expect(throws: SearchError.self) { try genome.validate(in: .published) }
    #expect(throws: SearchError.self) { try Genome([1]).validate(in: .published) }
  }
}

@Suite("Fair sampling")
struct FairSamplerTests {
  let seeds = Seeds(kind: "test", seed: 6)

  @Test("every choice occurs equally often in every block: 3, 2 and 4 times in 12")
  func fairness() {
    let sampler = FairSampler(space: .published, seeds: seeds)
    for index in 0..<20 {
      let block = sampler.block(index)
      #expect(block.count == 12)
      for (layer, choices) in sampler.space.choicesPerLayer.enumerated() {
        // Consecutive permutations: each run of `choices` paths holds every choice once.
        for start in stride(from: 0, to: 12, by: choices) {
          #expect(Set(block[start..<start + choices].map { $0.choices[layer] }).count == choices)
        }
      }
      #expect((0..<12).map { sampler.path(step: index * 12 + $0) } == block)
    }
  }

  @Test("blocks are functions of seed and index, and differ")
  func reproducible() {
    let sampler = FairSampler(space: .published, seeds: seeds)
    #expect(sampler.block(3) == FairSampler(space: .published, seeds: seeds).block(3))
    #expect(sampler.block(3) != sampler.block(4))
    #expect(sampler.block(3) != FairSampler(space: .published, seeds: Seeds(kind: "test", seed: 7)).block(3))
  }
}

@Suite("Path-priority search")
struct PathPriorityTests {
  let space = SearchSpace(
    backboneLayers: 3, backboneChoices: 4, maskLayers: 1, semanticLayers: 1, headChoices: 6, thingsToStuffLayers: 1,
    stuffToThingsLayers: 1, attentionChoices: 3)
  let seeds = Seeds(kind: "test", seed: 8)

  @Test("ranks give 11...0 points, ties in the order of generation")
  func points() throws {
    let models = FairSampler(space: space, seeds: seeds).block(0)
    // Fitness 5, 5, 4, 4, ...: model 0 gets 11 points, model 1 gets 10.
    let evaluations = models.enumerated().map { Evaluation(genome: $1, fitness: Double(5 - $0 / 2)) }
    var board = Leaderboard(space: space)
    try board.score(evaluations)
    #expect(Leaderboard.ranking(evaluations) == Array(0..<12))
    for (layer, column) in board.scores.enumerated() {
      var expected = [Int](repeating: 0, count: column.count)
      for (i, model) in models.enumerated() { expected[model.choices[layer]] += 11 - i }
      #expect(column == expected && column.reduce(0, +) == 66)
    }
    try board.score(evaluations)
    #expect(board.isComplete(modelsPerCycle: 12))
    #expect(board.table(of: .backbone).count == 4 && board.table(of: .backbone)[2][1] == board.scores[1][2])
    #expect(board.table(of: .attention)[0] == [board.scores[5][0], board.scores[6][0]])
  }

  @Test("an additive fitness leads to its optimum, in place or from collected results")
  func optimum() throws {
    let goal = [2, 0, 3, 5, 1, 2, 0]
    func fitness(_ genome: Genome) -> Double {
      zip(genome.choices, goal).enumerated().reduce(0) { $0 + ($1.element.0 == $1.element.1 ? 1 : 0) }
    }
    let search = PathPrioritySearch(space: space, cycles: 40)
    let result = try search.run(seeds: seeds, fitness: fitness)
    #expect(result.best.choices == goal)
    #expect(result.models.count == 3)
    let cycles = search.candidates(seeds: seeds).map { $0.map { Evaluation(genome: $0, fitness: fitness($0)) } }
    #expect(try search.result(of: cycles).leaderboard == result.leaderboard)
    #expect(throws: SearchError.self) { try search.result(of: Array(cycles.dropLast())) }
    var broken = cycles
    broken[3][4].fitness = .nan
    #expect(throws: SearchError.self) { try search.result(of: broken) }
  }

  @Test("selection gives ties to the lower index, or as published to the higher")
  func ties() {
    let board = Leaderboard(space: space)
    #expect(board.selection() == Genome([0, 0, 0, 0, 0, 0, 0]))
    #expect(board.selection(rank: 2) == Genome([2, 2, 2, 2, 2, 2, 2]))
    // As published: the last of equal choices.
    #expect(board.selection(ties: .higher).choices == space.choicesPerLayer.map { $0 - 1 })
    #expect(board.selection(rank: 1, ties: .higher).choices == space.choicesPerLayer.map { $0 - 2 })
  }
}

@Suite("Random and evolutionary search")
struct OtherSearchTests {
  let seeds = Seeds(kind: "test", seed: 9)

  @Test("a longer random search begins like a shorter one")
  func random() {
    let long = RandomSearch(count: 30).candidates(seeds: seeds)
    #expect(RandomSearch(count: 10).candidates(seeds: seeds) == Array(long[..<10]))
    #expect(Set(long).count == 30)
    let evaluations = zip(long, [1.0, 3, 2, 3]).map { Evaluation(genome: $0, fitness: $1) }
    #expect(RandomSearch.best(of: evaluations)?.genome == long[1])
  }

  @Test("evolution makes no model twice, keeps its shares, and improves")
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
    // The first 20 of a generation are near one of the ten fittest: a tenth of the genes drawn anew.
    let parents = Leaderboard.ranking(Array(history.prefix(950))).prefix(10).map { history[$0].genome.choices }
    for child in history[950..<970] {
      let distance = parents.map { parent in zip(parent, child.genome.choices).count { $0 != $1 } }.min()!
      #expect(distance <= 16)
    }
    #expect(
      try search.candidates(generation: 5, history: Array(history.prefix(250)), seeds: seeds)
        == history[250..<300].map(\.genome))
  }

  @Test("evolution ends in a space that is used up")
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
