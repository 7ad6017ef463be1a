import Determinism
import Models
import Pipelines
import Search

/// All search policies on planted landscapes of one kind (method 15), in place: thousands of evaluations take no time, and
/// their records would.
///
/// Landscape i has the stage's seed plus i. A pipeline with that seed whose candidates are evaluated by
/// `planted-fitness` finds the same models as the landscape of number 0.
struct SearchLandscapeStage: Stage {
  struct Parameters: NetworkParameters {
    var landscape = LandscapeDescription()
    /// How many.
    var landscapes = 100
    /// Numbers of evaluations after which policies are judged, ascending. Path-priority search makes as many whole
    /// cycles.
    var evaluations = [12, 24, 36, 48, 60, 120, 180, 240, 300, 420, 540, 660, 780, 900, 1000]
    var evolution = Breeding()
    /// An evolution that ends after `smallEvaluations`.
    var smallEvolution = Breeding(population: 12, parents: 4, mutations: 5, crossovers: 5)
    var smallEvaluations = 60
    /// Variants of path-priority search rank so many fair blocks together.
    var cycleBlocks = [2, 5, 10]
    var network = NetworkConfiguration()
    init() {}
  }

  /// As in `EvolveCandidatesStage`.
  struct Breeding: Codable, Sendable {
    var population = 50
    var parents = 10
    var mutations = 20
    var crossovers = 20
    var mutationRate = 0.1
  }

  static let name = "search-landscape"
  static let version = 1
  static let summary = "runs all search policies on planted landscapes of one kind"
  static let outputs = [OutputPort("courses", "json"), OutputPort("metrics", "metrics")]
  static let isRandom = true

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    try parameters.landscape.check(at: "landscape", in: parameters.network)
    let block = parameters.network.searchSpace.blockLength
    try require(parameters.landscapes, in: 2...10_000, "landscapes")
    let numbers = parameters.evaluations
    try require(
      (1...100).contains(numbers.count) && zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 }
        && numbers.allSatisfy(counts.contains), "evaluations", "must be 1 to 100 ascending numbers from 1")
    try requireCandidates(numbers.last!, of: parameters.network, "evaluations")
    try parameters.evolution.check(at: "evolution", in: parameters.network)
    try parameters.smallEvolution.check(at: "smallEvolution", in: parameters.network)
    try require(parameters.smallEvaluations, in: counts, "smallEvaluations")
    try require(
      parameters.cycleBlocks.count <= 20
        && parameters.cycleBlocks.allSatisfy { (2...counts.upperBound / block).contains($0) }
        && Set(parameters.cycleBlocks).count == parameters.cycleBlocks.count, "cycleBlocks",
      "must be at most 20 different numbers of blocks from 2, each of \(counts.upperBound) models at most")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    var trials = [[PolicyCourse]]()
    while trials.count < parameters.landscapes {
      try context.checkCancelled()
      context.progress(step: trials.count, of: parameters.landscapes, unit: "landscapes")
      let first = trials.count
      let results = Parallel.map(min(8, parameters.landscapes - first)) { i in
        Result { try courses(seed: context.seeds.seed &+ UInt64(first + i)) }
      }
      trials += try results.map { try $0.get() }
    }
    let report = LandscapeCourses(landscape: parameters.landscape, trials: trials)
    try context.write("courses", json: report)
    try context.write("metrics", json: report.metrics)
  }

  /// All policies on one landscape.
  func courses(seed: UInt64) throws -> [PolicyCourse] {
    let space = parameters.network.searchSpace
    let trial = LandscapeTrial(
      landscape: PlantedLandscape(
        parameters.landscape, in: space, seeds: Seeds(kind: PlantedFitnessStage.streamName, seed: seed)),
      seeds: .init(
        pathPriority: Seeds(kind: ProposeCandidatesStage.streamName, seed: seed),
        evolution: Seeds(kind: EvolveCandidatesStage.streamName, seed: seed),
        random: Seeds(kind: RandomCandidatesStage.streamName, seed: seed)),
      evaluations: parameters.evaluations)
    let fair = try trial.fairModels()
    let uniform = trial.randomModels()
    return try trial.pathPriority(fair) + [
      trial.evolution(
        parameters.evolution.search(in: space), named: "evolution", evaluations: parameters.evaluations.last!),
      trial.evolution(
        parameters.smallEvolution.search(in: space), named: "evolution-small",
        evaluations: parameters.smallEvaluations),
    ] + trial.random(uniform)
      + trial.variants(fair: fair, uniform: uniform, cycleBlocks: parameters.cycleBlocks)
  }
}

extension SearchLandscapeStage.Breeding {
  func check(at place: String, in network: NetworkConfiguration) throws {
    try requireCandidates(population, of: network, "\(place).population")
    try require(parents, in: counts, "\(place).parents")
    try require(mutations, in: 0...counts.upperBound, "\(place).mutations")
    try require(crossovers, in: 0...counts.upperBound, "\(place).crossovers")
    try require(mutationRate, in: 0...1, "\(place).mutationRate")
  }

  func search(in space: SearchSpace) -> EvolutionarySearch {
    var search = EvolutionarySearch(space: space)
    (search.population, search.parents, search.mutations) = (population, parents, mutations)
    (search.crossovers, search.mutationRate) = (crossovers, mutationRate)
    return search
  }
}
