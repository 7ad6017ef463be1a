import Models
import Pipelines
import Search

/// ImageNet pretraining of one searched backbone at its final width (spec 2, run "b"; register, row 15).
struct PretrainArchitectureStage: Stage {
  struct Parameters: BackboneParameters {
    var backbone = BackboneConfiguration.retrain3G8
    var recipe = ClassifierRecipe(steps: 600_000, batch: 512, baseRate: 0.25)
    var input = ClassificationInput()

    init() {}
  }

  static let name = "pretrain-architecture"
  static let version = 1
  static let summary = "trains the backbone of one architecture on ImageNet"
  static let inputs = [InputPort("data", "tree"), InputPort("architecture", "json")]
  static let outputs = [OutputPort("weights", "tensors")]
  static let traits = Traits.training
  static let isRandom = true

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.backbone.check(at: "backbone")
    try parameters.recipe.check(at: "recipe")
    try parameters.input.check(at: "input")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let architecture = try context.input("architecture").architecture(in: parameters.backbone)
    try pretrain(
      by: TrainingDriver(of: Self.self, parameters, in: context), backbone: parameters.backbone,
      choices: .fixed(architecture.backbone), path: architecture.backbone,
      recipe: parameters.recipe, input: parameters.input)
  }
}
