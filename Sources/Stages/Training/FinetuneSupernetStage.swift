import Datasets
import Models
import Panoptic
import Pipelines

/// Training of the whole panoptic supernet on the task, in strictly fair windows (method 5).
struct FinetuneSupernetStage: Stage {
  struct Parameters: NetworkParameters {
    var network = NetworkConfiguration()
    /// The 90,000 iterations of the published run are 7,500 updates of a window of twelve.
    var recipe = PanopticRecipe(
      updates: 7_500, schedule: .cosine, warmup: 3_000, milestones: [], batchNormMomentum: 0.1)
    var input = PanopticInput()
    init() {}
  }

  static let name = "finetune-supernet"
  static let version = 2
  static let summary = "trains the panoptic supernet in strictly fair windows of paths"
  static let inputs = [
    InputPort("data", "tree"), InputPort("split", "json"), InputPort("weights", "tensors"),
  ]
  static let outputs = [OutputPort("weights", "tensors"), OutputPort("history", "history")]
  static let traits = Traits.training
  static let isRandom = true
  static let usesTeam = true

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    try parameters.network.checkChoices(at: "network")
    try parameters.recipe.check(at: "recipe")
    try require(parameters.recipe.replicas == 1, "recipe.replicas", "must be 1: a window has one pass for each path")
    try parameters.input.check(at: "input")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let data = try context.panopticData(PanopticLayout.coco.training)
    let split = try context.input("split").decoded(as: SearchSplit.self)
    try trainPanoptic(
      by: TrainingDriver(of: Self.self, parameters, in: context), data: data.subset(split.train),
      network: parameters.network, content: .supernet, paths: .fairBlocks(parameters.network.searchSpace),
      recipe: parameters.recipe, input: parameters.input)
  }
}
