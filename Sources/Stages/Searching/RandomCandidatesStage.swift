import Models
import Pipelines
import Search

/// Uniform models from the whole space: those of the random search (method 7.3), or a few to compare with. The first
/// ones are the same for any count.
struct RandomCandidatesStage: Stage {
  struct Parameters: NetworkParameters {
    var count = 300
    var network = NetworkConfiguration()
    init() {}
  }

  static let name = "draw-candidates"
  static let version = 1
  static let summary = "draws candidates uniformly from the whole search space"
  static let outputs = [OutputPort("architectures", "json")]
  static let isRandom = true

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    try requireCandidates(parameters.count, of: parameters.network, "count")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let search = RandomSearch(space: parameters.network.searchSpace, count: parameters.count)
    try context.write(
      "architectures", json: search.candidates(seeds: context.seeds).map { Architecture($0, in: search.space) })
  }
}
