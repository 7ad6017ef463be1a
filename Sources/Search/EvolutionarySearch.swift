import Determinism

/// The evolutionary search of DetNAS on this space.
///
/// The first generation is uniform. Later ones are made from the fittest of *all* models seen so far: mutated copies,
/// crossovers of two, and fresh uniform models. A model that was seen before is drawn again; where too many draws fail,
/// its place goes to the next kind, so the search ends even in a tiny space.
public struct EvolutionarySearch: Hashable, Sendable {
  public let space: SearchSpace
  public var population = 50
  public var generations = 20
  public var parents = 10
  public var mutations = 20
  public var crossovers = 20
  /// Probability that a gene of a mutated copy is drawn anew (maybe as it was).
  public var mutationRate = 0.1
  /// Draws per model before its kind gives up.
  public var attempts = 100

  public init(space: SearchSpace = .published) { self.space = space }

  /// The models of generation `index`, counted from 0: a function of seed, index and history.
  /// - Parameter history: all evaluations of earlier generations, in the order of generation.
  /// - Throws: `SearchError.Code.exhausted` where not a single new model was found.
  public func candidates(generation index: Int, history: [Evaluation], seeds: Seeds) throws -> [Genome] {
    precondition(index == 0 || !history.isEmpty, "EvolutionarySearch: generation \(index) needs a history")
    var random = seeds.stream("generation/\(index)")
    var seen = Set(history.map(\.genome))
    var models = [Genome]()

    func add(upTo limit: Int, _ draw: (inout RandomStream) -> Genome) {
      var failures = 0
      while models.count < min(limit, population) && failures < attempts {
        let model = draw(&random)
        if seen.insert(model).inserted {
          models.append(model)
          failures = 0
        } else {
          failures += 1
        }
      }
    }

    if index > 0 {
      let fittest = Leaderboard.ranking(history).prefix(parents).map { history[$0].genome }
      add(upTo: mutations) { random in mutant(of: fittest[random.below(fittest.count)], using: &random) }
      add(upTo: models.count + crossovers) { random in
        let (a, b) = (fittest[random.below(fittest.count)], fittest[random.below(fittest.count)])
        return Genome(zip(a.choices, b.choices).map { random.chance(0.5) ? $0 : $1 })
      }
    }
    add(upTo: population) { Genome.random(in: space, using: &$0) }
    guard !models.isEmpty else {
      throw SearchError(
        .exhausted, at: "generation \(index)",
        "no new model in \(attempts) draws; the space of \(space.size) models seems to be used up")
    }
    return models
  }

  private func mutant(of parent: Genome, using random: inout RandomStream) -> Genome {
    Genome(
      zip(parent.choices, space.choicesPerLayer).map { choice, limit in
        random.chance(mutationRate) ? random.below(limit) : choice
      })
  }

  /// Runs all generations in place.
  /// - Returns: every evaluation, in the order of generation.
  public func run(seeds: Seeds, fitness: (Genome) throws -> Double) throws -> [Evaluation] {
    var history = [Evaluation]()
    for generation in 0..<generations {
      for model in try candidates(generation: generation, history: history, seeds: seeds) {
        history.append(Evaluation(genome: model, fitness: try fitness(model)))
      }
    }
    return history
  }
}
