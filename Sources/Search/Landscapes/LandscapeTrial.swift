import Determinism

/// Runs the search policies on one landscape. A policy sees evaluations, with their noise; what it returns is judged by
/// its fitness without noise.
///
/// Courses of policies: `path-priority` returns the model that it composes, `path-priority-met` the best of those that
/// it evaluated; `evolution`, `evolution-small` and `random` the best that they evaluated. `best-of-five` is the fittest
/// of the first five random models, known without noise.
public struct LandscapeTrial: Sendable {
  /// The random streams of the policies.
  public struct PolicySeeds: Sendable {
    public var pathPriority: Seeds
    public var evolution: Seeds
    public var random: Seeds

    public init(pathPriority: Seeds, evolution: Seeds, random: Seeds) {
      (self.pathPriority, self.evolution, self.random) = (pathPriority, evolution, random)
    }
  }

  public let landscape: PlantedLandscape
  public let seeds: PolicySeeds
  /// Numbers of evaluations after which policies are judged, ascending.
  public let evaluations: [Int]
  private let best: Double

  public init(landscape: PlantedLandscape, seeds: PolicySeeds, evaluations: [Int]) {
    precondition(
      !evaluations.isEmpty && evaluations[0] > 0 && zip(evaluations, evaluations.dropFirst()).allSatisfy { $0 < $1 },
      "LandscapeTrial: evaluations \(evaluations)")
    (self.landscape, self.seeds, self.evaluations) = (landscape, seeds, evaluations)
    best = landscape.optimum.fitness
  }

  private var most: Int { evaluations.last! }

  func regret(of genome: Genome) -> Double { best - landscape.fitness(of: genome) }

  /// The best evaluated model at each number of evaluations up to a limit.
  private func course(_ policy: String, ofBest history: [Evaluation], upTo limit: Int) -> PolicyCourse {
    var course = PolicyCourse(policy: policy)
    var (leader, counted) = (0, 0)
    for count in evaluations where count <= limit {
      while counted < min(count, history.count) {
        if history[counted].fitness > history[leader].fitness { leader = counted }
        counted += 1
      }
      course.add(count, regret: regret(of: history[leader].genome))
    }
    return course
  }

  func evaluated(_ genome: Genome) -> Evaluation {
    Evaluation(genome: genome, fitness: landscape.evaluate(genome))
  }

  /// Random search, and the fittest of its first five models. The models serve as a uniform sample, too.
  public func randomModels() -> [Evaluation] {
    RandomSearch(space: landscape.space, count: max(5, most)).candidates(seeds: seeds.random).map(evaluated)
  }

  public func random(_ models: [Evaluation]) -> [PolicyCourse] {
    var five = PolicyCourse(policy: "best-of-five")
    five.add(5, regret: models.prefix(5).map { regret(of: $0.genome) }.min()!)
    return [course("random", ofBest: models, upTo: most), five]
  }

  /// The models of all cycles of path-priority search.
  public func fairModels() throws -> [Evaluation] {
    let cycles = most / landscape.space.blockLength
    guard cycles > 0 else { return [] }
    return PathPrioritySearch(space: landscape.space, cycles: cycles).candidates(seeds: seeds.pathPriority)
      .joined().map(evaluated)
  }

  /// Path-priority search, judged after each whole number of cycles.
  /// - Throws: `SearchError`, as `Leaderboard.score`.
  public func pathPriority(_ models: [Evaluation]) throws -> [PolicyCourse] {
    let block = landscape.space.blockLength
    var composed = PolicyCourse(policy: "path-priority")
    var board = Leaderboard(space: landscape.space)
    for count in evaluations where count >= block {
      while board.cycles < count / block {
        try board.score(Array(models[board.cycles * block..<(board.cycles + 1) * block]))
      }
      composed.add(count, regret: regret(of: board.selection()))
    }
    return [composed, course("path-priority-met", ofBest: models, upTo: models.isEmpty ? 0 : most)]
  }

  /// Evolutionary search, until it has made all evaluations or finds no new model.
  /// - Parameter count: evaluations after which it ends; the other courses go on.
  public func evolution(
    _ search: EvolutionarySearch, named name: String, evaluations count: Int
  ) throws
    -> PolicyCourse
  {
    var history = [Evaluation]()
    var generation = 0
    while history.count < min(count, most) {
      do {
        history += try search.candidates(generation: generation, history: history, seeds: seeds.evolution)
          .map(evaluated)
      } catch let error as SearchError where error.code == .exhausted {
        break
      }
      generation += 1
    }
    return course(name, ofBest: history, upTo: count)
  }
}
