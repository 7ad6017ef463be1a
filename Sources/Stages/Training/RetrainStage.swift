import Models
import Panoptic
import Pipelines

/// Training of the selected architecture at its final width on the whole training set (method 8). A network in which
/// nothing is searched needs no architecture.
struct RetrainStage: Stage {
  struct Parameters: NetworkParameters {
    var network = NetworkConfiguration(backbone: .retrain3G8)
    var recipe = PanopticRecipe()
    var input = PanopticInput()
    init() {}
  }

  static let name = "retrain-architecture"
  static let version = 2
  static let summary = "trains one architecture on the task from its pretrained backbone"
  static let inputs = [
    InputPort("data", "tree"), InputPort("weights", "tensors"), InputPort("architecture", "json", optional: true),
  ]
  static let outputs = [OutputPort("weights", "tensors"), OutputPort("history", "history")]
  static let traits = Traits.training
  static let isRandom = true
  static let usesTeam = true

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    try parameters.recipe.check(at: "recipe")
    try parameters.input.check(at: "input")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let architecture = try context.architecture(for: parameters.network)
    let data = try context.panopticData(PanopticLayout.coco.training)
    try trainPanoptic(
      by: TrainingDriver(of: Self.self, parameters, in: context), data: data, network: parameters.network,
      content: .fixed(architecture),
      paths: .fixed(architecture, replicas: parameters.recipe.replicas), recipe: parameters.recipe,
      input: parameters.input)
  }
}
