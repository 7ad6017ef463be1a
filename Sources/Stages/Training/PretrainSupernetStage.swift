import Models
import Pipelines

/// ImageNet pretraining of the supernet's backbone, one random path a step (spec 2, run "a").
struct PretrainSupernetStage: Stage {
  struct Parameters: BackboneParameters {
    var backbone = BackboneConfiguration.search1G3
    var recipe = ClassifierRecipe()
    var input = ClassificationInput()

    init() {}
  }

  static let name = "pretrain-supernet"
  static let version = 1
  static let summary = "trains the four-choice backbone on ImageNet, one random path a step"
  static let inputs = [InputPort("data", "tree")]
  static let outputs = [OutputPort("weights", "tensors")]
  static let traits = Traits.training
  static let isRandom = true

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.backbone.check(at: "backbone")
    try parameters.backbone.checkChoices(at: "backbone")
    try parameters.recipe.check(at: "recipe")
    try parameters.input.check(at: "input")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    try pretrain(
      by: TrainingDriver(of: Self.self, parameters, in: context), backbone: parameters.backbone, choices: .supernet,
      path: nil,
      recipe: parameters.recipe,
      input: parameters.input)
  }
}
