import Determinism
import Models
import Pipelines
import Search

/// Scores the evaluated candidates cycle by cycle and takes the best choice of every layer (method 7.2).
struct SelectArchitectureStage: Stage {
  enum Fitness: String, Switch {
    /// Panoptic quality at full precision.
    case exact
    /// In percent with two decimals, as the published program reads it from a printed line (fidelity 37).
    case rounded
    static let recommended = Fitness.exact

    /// - Parameter quality: in [0, 1].
    func value(_ quality: Double) -> Double { self == .exact ? quality : (10_000 * quality).rounded() / 10_000 }
  }

  struct Parameters: NetworkParameters {
    var fitness = Fitness.recommended
    var ties = LeaderboardTies.recommended
    var network = NetworkConfiguration()
    init() {}
  }

  static let name = "select-architecture"
  static let version = 1
  static let summary = "ranks the candidates of every cycle and selects the best choice of every layer"
  static let inputs = [InputPort("evaluations", "json", list: true)]
  static let outputs = [OutputPort("architecture", "json"), OutputPort("leaderboard", "json")]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let space = parameters.network.searchSpace
    let evaluations = try context.inputs("evaluations").map { try $0.candidate(in: parameters.network) }
    let models = space.blockLength
    guard !evaluations.isEmpty, evaluations.count % models == 0 else {
      throw StageInputError(
        description: "\(evaluations.count) evaluated candidates are not whole cycles of \(models) models")
    }
    let search = PathPrioritySearch(space: space, cycles: evaluations.count / models)
    let cycles = (0..<search.cycles).map { cycle in
      evaluations[cycle * models..<(cycle + 1) * models].map {
        Evaluation(genome: $0.architecture.genome, fitness: parameters.fitness.value($0.pq))
      }
    }
    let result = try search.result(of: cycles, ties: parameters.ties)
    try context.write("architecture", json: Architecture(result.best, in: space))
    try context.write(
      "leaderboard",
      json: LeaderboardReport(
        backbone: result.leaderboard.table(of: .backbone), head: result.leaderboard.table(of: .head),
        attention: result.leaderboard.table(of: .attention),
        models: result.models.map { Architecture($0, in: space) },
        candidates: evaluations.enumerated().map { index, evaluation in
          LeaderboardReport.Candidate(cycle: index / models, evaluation: evaluation)
        }))
  }
}

/// The outcome of a search as an artifact.
struct LeaderboardReport: Codable, Sendable {
  struct Candidate: Codable, Sendable {
    /// From 0.
    var cycle: Int
    var evaluation: CandidateResult
  }

  /// `table[choice][layer]`: points of every choice.
  var backbone: [[Int]]
  var head: [[Int]]
  var attention: [[Int]]
  /// Made of the best, second best and third best choices.
  var models: [Architecture]
  /// In the order of generation.
  var candidates: [Candidate]
}

extension LeaderboardReport {
  /// - Throws: where the search had other layers or choices than a network, or the tables hold what no search gives.
  func check(in network: NetworkConfiguration, place: String) throws {
    let space = network.searchSpace
    let tables = [(SearchSpace.Part.backbone, backbone), (.head, head), (.attention, attention)]
    guard !models.isEmpty,
      tables.allSatisfy({ part, table in
        table.count == space.choices(of: part) && table.allSatisfy { $0.count == space.range(of: part).count }
      })
    else { throw StageInputError(description: "\(place): the search had other layers or choices than the network") }
    for (part, table) in tables {
      if let points = table.joined().first(where: { !(0...1_000_000_000_000).contains($0) }) {
        throw StageInputError(description: "\(place): \(part.rawValue): \(points) are no points of a search")
      }
    }
    for (i, model) in models.enumerated() { try network.validate(model, place: "\(place): models[\(i)]") }
    for (i, candidate) in candidates.enumerated() {
      try candidate.evaluation.check(in: network, place: "\(place): candidates[\(i)]")
    }
  }
}
