import Determinism
import Models
import Pipelines
import Search

/// The models of all cycles of the path-priority search (method 7.2): T strictly fair blocks.
struct ProposeCandidatesStage: Stage {
  struct Parameters: NetworkParameters {
    /// T; the models of a cycle, E, are one fair block.
    var cycles = 5
    var network = NetworkConfiguration()
    init() {}
  }

  static let name = "propose-candidates"
  static let version = 1
  static let summary = "draws the candidates of every search cycle as a strictly fair block"
  static let outputs = [OutputPort("architectures", "json")]
  static let isRandom = true

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    try require(parameters.cycles, in: counts, "cycles")
    try requireCandidates(
      parameters.cycles.multipliedSaturated(by: parameters.network.searchSpace.blockLength), of: parameters.network,
      "cycles")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let search = PathPrioritySearch(space: parameters.network.searchSpace, cycles: parameters.cycles)
    let candidates = search.candidates(seeds: context.seeds).joined()
    try context.write("architectures", json: candidates.map { Architecture($0, in: search.space) })
  }
}
