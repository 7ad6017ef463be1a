import Determinism
import Testing

@testable import Search

/// Seven layers, which the tests below can list: three of the backbone, two of the heads, two of attention.
private let space = SearchSpace(
  backboneLayers: 3, backboneChoices: 4, maskLayers: 1, semanticLayers: 1, headChoices: 6, thingsToStuffLayers: 1,
  stuffToThingsLayers: 1, attentionChoices: 3)
private let seeds = Seeds(kind: "test", seed: 8)

@Suite("Leaderboard")
struct LeaderboardTests {
  @Test("the best of 12 models scores 11, the worst 0; ties are ranked in the order of generation")
  func scores() throws {
    let models = FairSampler(space: space, seeds: seeds).block(0)
    // Fitness 5, 5, 4, 4, ...: model 0 scores 11, model 1 scores 10.
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

  @Test("selection prefers the lower of two tied choices, or the higher as the published program does")
  func ties() {
    let board = Leaderboard(space: space)
    #expect(board.selection() == Genome([0, 0, 0, 0, 0, 0, 0]))
    #expect(board.selection(rank: 2) == Genome([2, 2, 2, 2, 2, 2, 2]))
    #expect(board.selection(ties: .higher).choices == space.choicesPerLayer.map { $0 - 1 })
    #expect(board.selection(rank: 1, ties: .higher).choices == space.choicesPerLayer.map { $0 - 2 })
  }

  @Test("a fitness that is not finite and a genome of another space are refused with cycle and model")
  func refused() throws {
    var board = Leaderboard(space: space)
    let genome = Genome([0, 0, 0, 0, 0, 0, 0])
    for bad in [Evaluation(genome: genome, fitness: .nan), Evaluation(genome: Genome([0]), fitness: 1)] {
      let error = try #require(throws: SearchError.self) {
        try board.score([Evaluation(genome: genome, fitness: 1), bad])
      }
      #expect(error.description.contains("cycle 0, model 1"))
    }
    #expect(board == Leaderboard(space: space))
  }
}

@Suite("PathPrioritySearch")
struct PathPrioritySearchTests {
  @Test("finds the optimum of an additive fitness, whether it runs the cycles or gets their results")
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
  }

  @Test("incomplete results are refused")
  func incomplete() throws {
    let search = PathPrioritySearch(space: space, cycles: 3)
    let cycles = search.candidates(seeds: seeds).map { $0.map { Evaluation(genome: $0, fitness: 1) } }
    _ = try search.result(of: cycles)
    #expect(throws: SearchError.self) { try search.result(of: Array(cycles.dropLast())) }
    #expect(throws: SearchError.self) { try search.result(of: cycles.map { Array($0.dropLast()) }) }
  }
}
