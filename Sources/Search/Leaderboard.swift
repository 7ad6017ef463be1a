import Determinism

/// A model and how good it was.
public struct Evaluation: Hashable, Sendable, Codable {
  public var genome: Genome
  /// Overall panoptic quality at full precision, or whatever is to be maximised.
  public var fitness: Double

  public init(genome: Genome, fitness: Double) { (self.genome, self.fitness) = (genome, fitness) }
}

/// Which of two choices with equal points is the better one.
public enum LeaderboardTies: String, Switch {
  case lower
  /// The published program sorts ascending and reads from the end.
  case higher
  public static let recommended = LeaderboardTies.lower
}

/// Scores of every choice of every layer, collected over cycles.
///
/// The models of a cycle are ranked by fitness, ties in the order of generation; the best of `E` models gives `E - 1`
/// points to each of its choices, the next one less, the worst none.
public struct Leaderboard: Hashable, Sendable {
  public let space: SearchSpace
  /// `scores[layer][choice]`, layers in genome order.
  public private(set) var scores: [[Int]]
  /// Cycles scored so far.
  public private(set) var cycles = 0

  public init(space: SearchSpace) {
    self.space = space
    scores = space.choicesPerLayer.map { [Int](repeating: 0, count: $0) }
  }

  /// Adds the points of one cycle.
  /// - Parameter evaluations: in the order of generation.
  /// - Throws: `SearchError` for a genome outside the space or a fitness that is not finite.
  public mutating func score(_ evaluations: [Evaluation]) throws {
    for (i, evaluation) in evaluations.enumerated() {
      try evaluation.genome.validate(in: space, place: "cycle \(cycles), model \(i)")
      guard evaluation.fitness.isFinite else {
        throw SearchError(.badResults, at: "cycle \(cycles), model \(i)", "the fitness is \(evaluation.fitness)")
      }
    }
    for (rank, model) in Leaderboard.ranking(evaluations).enumerated() {
      let points = evaluations.count - 1 - rank
      for (layer, choice) in evaluations[model].genome.choices.enumerated() { scores[layer][choice] += points }
    }
    cycles += 1
    precondition(
      scores.allSatisfy { $0.reduce(0, +) == scores.first?.reduce(0, +) }, "Leaderboard: columns have different sums")
  }

  /// Indices by descending fitness, ties in the given order.
  public static func ranking(_ evaluations: [Evaluation]) -> [Int] {
    evaluations.indices.sorted { a, b in
      let (x, y) = (evaluations[a].fitness, evaluations[b].fitness)
      return x != y ? x > y : a < b
    }
  }

  /// The model made of the `rank`-th best choice of every layer, 0 being the best.
  /// - Precondition: every layer has more than `rank` choices.
  public func selection(rank: Int = 0, ties: LeaderboardTies = .recommended) -> Genome {
    Genome(
      scores.map { column in
        precondition(rank < column.count, "selection: rank \(rank) of \(column.count) choices")
        return column.indices.sorted {
          column[$0] != column[$1] ? column[$0] > column[$1] : ($0 < $1) == (ties == .lower)
        }[rank]
      })
  }

  /// The table of one part as published: `table[choice][layer]`.
  public func table(of part: SearchSpace.Part) -> [[Int]] {
    (0..<space.choices(of: part)).map { choice in space.range(of: part).map { scores[$0][choice] } }
  }

  /// True where every column sums to `cycles · (0 + 1 + ... + (models - 1))`: 66 per cycle of 12.
  public func isComplete(modelsPerCycle models: Int) -> Bool {
    scores.allSatisfy { $0.reduce(0, +) == cycles * models * (models - 1) / 2 }
  }
}
