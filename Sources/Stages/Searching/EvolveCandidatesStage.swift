import Models
import Pipelines
import Search

/// The models of one generation of the evolutionary search (method 7.4), made from the fittest of all generations
/// before.
///
/// In a pipeline it heads a loop: `repeat: 20`, with what its earlier rounds proposed and what came of it.
struct EvolveCandidatesStage: Stage {
  struct Parameters: NetworkParameters {
    /// Models of a generation.
    var population = 50
    /// The fittest models of all generations, from which the next is made.
    var parents = 10
    var mutations = 20
    var crossovers = 20
    var mutationRate = 0.1
    var network = NetworkConfiguration()
    init() {}
  }

  static let name = "evolve-candidates"
  static let version = 1
  static let summary = "breeds the candidates of a generation from the fittest of those before"
  static let inputs = [
    InputPort("generations", "json", list: true), InputPort("evaluations", "json", list: true),
  ]
  static let outputs = [OutputPort("architectures", "json")]
  static let isRandom = true

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    try requireCandidates(parameters.population, of: parameters.network, "population")
    try require(parameters.parents, in: counts, "parents")
    try require(parameters.mutations, in: 0...counts.upperBound, "mutations")
    try require(parameters.crossovers, in: 0...counts.upperBound, "crossovers")
    guard (0...1).contains(parameters.mutationRate) else { throw ParameterError("mutationRate", "must be in 0...1") }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    var search = EvolutionarySearch(space: parameters.network.searchSpace)
    search.population = parameters.population
    search.parents = parameters.parents
    search.mutations = parameters.mutations
    search.crossovers = parameters.crossovers
    search.mutationRate = parameters.mutationRate
    let history = try context.inputs("evaluations").map { input in
      let result = try input.candidate(in: parameters.network)
      return Evaluation(genome: result.architecture.genome, fitness: result.pq)
    }
    let generation = context.inputs("generations").count
    guard generation == 0 || !history.isEmpty else {
      throw StageInputError(
        description: "'generations' holds \(generation), but 'evaluations' none of their candidates; connect both")
    }
    var models = [Genome]()
    do {
      models = try search.candidates(generation: generation, history: history, seeds: context.seeds)
    } catch let error as SearchError where error.code == .exhausted {
      // A generation without models ends the search.
      context.log(error.description)
    }
    try context.write("architectures", json: models.map { Architecture($0, in: search.space) })
  }
}

/// Takes the fittest of all evaluated candidates.
struct SelectFittestStage: Stage {
  static let name = "select-fittest"
  static let version = 1
  static let summary = "ranks all candidates by panoptic quality and selects the best"
  static let inputs = [InputPort("evaluations", "json", list: true)]
  static let outputs = [OutputPort("architecture", "json"), OutputPort("ranking", "json")]

  init(parameters: NoParameters) {}

  func run(in context: StageContext) throws {
    let evaluations = try context.inputs("evaluations").map { try $0.candidate() }
    let ranked = Leaderboard.ranking(
      evaluations.map { Evaluation(genome: $0.architecture.genome, fitness: $0.pq) }
    ).map { evaluations[$0] }
    guard let best = ranked.first else { throw StageInputError(description: "no candidate was evaluated") }
    try context.write("architecture", json: best.architecture)
    try context.write("ranking", json: ranked)
  }
}
