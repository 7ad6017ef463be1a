import Determinism

/// The path-priority policy: some cycles of a fair block each, points by rank, the best choice of every layer.
///
/// It is split in two pure functions, so that the evaluations in between can be spread and cached as anybody likes:
///
/// ```swift
/// let search = PathPrioritySearch(space: .published, cycles: 5)
/// let candidates = search.candidates(seeds: seeds)             // 5 × 12 genomes
/// let result = try search.result(of: evaluatedCycles)          // leaderboard and models
/// ```
public struct PathPrioritySearch: Hashable, Sendable {
  public let space: SearchSpace
  /// `T`; the models of a cycle, `E`, are one fair block.
  public let cycles: Int

  public init(space: SearchSpace = .published, cycles: Int = 5) {
    precondition(cycles > 0, "PathPrioritySearch: \(cycles) cycles")
    (self.space, self.cycles) = (space, cycles)
  }

  /// The models of cycle `index`, counted from 0: a function of seed and index alone.
  public func candidates(cycle index: Int, seeds: Seeds) -> [Genome] {
    FairSampler(space: space, seeds: seeds, path: "cycle").block(index)
  }

  /// The models of all cycles.
  public func candidates(seeds: Seeds) -> [[Genome]] { (0..<cycles).map { candidates(cycle: $0, seeds: seeds) } }

  public struct Result: Sendable {
    public let leaderboard: Leaderboard
    /// The best choice of every layer, then the second and third best, as far as every layer has that many.
    public let models: [Genome]
    public var best: Genome { models[0] }
  }

  /// Scores complete cycles and selects.
  /// - Parameter evaluations: one list a cycle, models in the order of `candidates(cycle:seeds:)`.
  /// - Throws: `SearchError` where results are missing or not finite.
  public func result(
    of evaluations: [[Evaluation]], ties: LeaderboardTies = .recommended
  ) throws -> Result {
    guard evaluations.count == cycles else {
      throw SearchError(.badResults, at: "search", "results of \(evaluations.count) cycles, expected \(cycles)")
    }
    var board = Leaderboard(space: space)
    for (cycle, models) in evaluations.enumerated() {
      guard models.count == space.blockLength else {
        throw SearchError(
          .badResults, at: "cycle \(cycle)", "\(models.count) results, expected \(space.blockLength)")
      }
      try board.score(models)
    }
    precondition(board.isComplete(modelsPerCycle: space.blockLength), "PathPrioritySearch: the table does not add up")
    let ranks = min(3, space.choicesPerLayer.min() ?? 0)
    return Result(leaderboard: board, models: (0..<max(ranks, 1)).map { board.selection(rank: $0, ties: ties) })
  }

  /// Runs all cycles in place.
  public func run(seeds: Seeds, fitness: (Genome) throws -> Double) throws -> Result {
    try result(
      of: candidates(seeds: seeds).map { try $0.map { Evaluation(genome: $0, fitness: try fitness($0)) } })
  }
}
