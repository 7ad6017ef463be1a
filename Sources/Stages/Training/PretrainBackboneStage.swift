import Models
import Pipelines

/// ImageNet pretraining of a backbone that is not searched: the ResNet of the baselines (spec 13, row 3).
struct PretrainBackboneStage: Stage {
  struct Parameters: BackboneParameters {
    var backbone = BackboneConfiguration.resNet50
    var recipe = ClassifierRecipe(steps: 600_000, batch: 512, baseRate: 0.25)
    var input = ClassificationInput()

    init() {}
  }

  static let name = "pretrain-backbone"
  // Streams keep the name under which results were published.
  static let streamName = "pretrain-body"
  static let version = 1
  static let summary = "trains a ResNet backbone on ImageNet"
  static let inputs = [InputPort("data", "tree")]
  static let outputs = [OutputPort("weights", "tensors")]
  static let traits = Traits.training
  static let isRandom = true

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.backbone.check(at: "backbone")
    try parameters.recipe.check(at: "recipe")
    try parameters.input.check(at: "input")
    guard !parameters.backbone.isSearched else {
      throw ParameterError(
        "backbone.family", "must be one without choices, such as resnet; searched backbones need an architecture")
    }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    try pretrain(
      by: TrainingDriver(of: Self.self, parameters, in: context), backbone: parameters.backbone, choices: .fixed([]),
      path: [],
      recipe: parameters.recipe,
      input: parameters.input)
  }
}
