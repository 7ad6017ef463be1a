import Models
import Pipelines

/// ImageNet pretraining of a body that is not searched: the ResNet of the baselines (spec 13, row 3).
struct PretrainBodyStage: Stage {
  struct Parameters: BackboneParameters {
    var body = BodyConfiguration.resNet50
    var recipe = ClassifierRecipe(steps: 600_000, batch: 512, baseRate: 0.25)
    var input = ClassificationInput()
    init() {}
  }

  static let name = "pretrain-body"
  static let version = 1
  static let summary = "trains a ResNet body on ImageNet"
  static let inputs = [InputPort("data", "tree")]
  static let outputs = [OutputPort("weights", "tensors")]
  static let traits = Traits.training
  static let isRandom = true

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.body.check(at: "body")
    try parameters.recipe.check(at: "recipe")
    try parameters.input.check(at: "input")
    guard parameters.body.family == .resnet else {
      throw ParameterError("body.family", "must be resnet; bodies of choice blocks need an architecture")
    }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    try pretrain(
      by: TrainingDriver(of: Self.self, parameters, in: context), body: parameters.body, choices: .fixed([]), path: [],
      recipe: parameters.recipe,
      input: parameters.input)
  }
}
