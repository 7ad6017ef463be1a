import Determinism

/// Uniform models from the whole space; the best of them is the result.
public struct RandomSearch: Hashable, Sendable {
  public let space: SearchSpace
  /// Models; 300 in the published comparison.
  public let count: Int

  public init(space: SearchSpace = .published, count: Int = 300) {
    precondition(count > 0, "RandomSearch: \(count) models")
    (self.space, self.count) = (space, count)
  }

  /// All models. The first `n` are the same for any `count`.
  public func candidates(seeds: Seeds) -> [Genome] {
    (0..<count).map { index in
      var random = seeds.stream("model/\(index)")
      return Genome.random(in: space, using: &random)
    }
  }

  /// The fittest of some evaluations, the earliest on ties; nil for none.
  public static func best(of evaluations: [Evaluation]) -> Evaluation? {
    Leaderboard.ranking(evaluations).first.map { evaluations[$0] }
  }
}
