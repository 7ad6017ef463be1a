import Datasets
import Models
import NN
import Pipelines

/// What a kind of ImageNet pretraining has of its own; the rest is `PretrainStage`.
protocol PretrainingMode: Sendable {
  /// Of the stage kind.
  static var name: String { get }
  /// In the names of its random streams.
  static var streamName: String { get }
  static var summary: String { get }
  /// Inputs beside the data.
  static var inputs: [InputPort] { get }
  /// The default backbone.
  static var backbone: BackboneConfiguration { get }
  /// The default recipe.
  static var recipe: ClassifierRecipe { get }
  /// Whether it trains all operators, one random path a step.
  static var isSupernet: Bool { get }
  /// - Throws: `ParameterError` for a backbone that it cannot train.
  static func check(_ backbone: BackboneConfiguration) throws
  /// What the classifier holds: all operators of a supernet, else those of one architecture.
  static func choices(of backbone: BackboneConfiguration, in context: StageContext) throws -> BackboneChoices
}

extension PretrainingMode {
  static var streamName: String { name }
  static var inputs: [InputPort] { [] }
  static var isSupernet: Bool { false }
  static func check(_ backbone: BackboneConfiguration) throws {}
}

/// ImageNet pretraining of a backbone (method 2). Writes the classifier's state, the history of its metrics, and how many
/// of the validation pictures it tells right.
struct PretrainStage<Mode: PretrainingMode>: Stage {
  struct Parameters: BackboneParameters {
    var backbone = Mode.backbone
    var recipe = Mode.recipe
    var input = ClassificationInput()

    init() {}
  }

  static var name: String { Mode.name }
  static var streamName: String { Mode.streamName }
  static var version: Int { 2 }
  static var summary: String { Mode.summary }
  static var inputs: [InputPort] { [InputPort("data", "tree")] + Mode.inputs }
  static var outputs: [OutputPort] {
    [OutputPort("weights", "tensors"), OutputPort("history", "history"), OutputPort("quality", "metrics")]
  }
  static var highlights: [Highlight] { [Highlight("top-1", of: "quality", at: "top-1", scale: 100)] }
  static var traits: [String] { Traits.training }
  static var isRandom: Bool { true }
  static var usesTeam: Bool { true }

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.backbone.check(at: "backbone")
    try Mode.check(parameters.backbone)
    try parameters.recipe.check(at: "recipe")
    try parameters.input.check(at: "input")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let (backbone, recipe, input) = (parameters.backbone, parameters.recipe, parameters.input)
    let driver = try TrainingDriver(of: Self.self, parameters, in: context)
    let choices = try Mode.choices(of: backbone, in: context)
    let data = try ClassificationDataset(part: ClassificationLayout.imageNet.training, in: context.input("data").tree)
    context.tell(data.notes)
    try context.requireMemory(
      values: MemoryNeed.pretraining(
        backbone, isSupernet: Mode.isSupernet, classes: data.classes.count, recipe: recipe, input: input,
        images: data.samples.count),
      advice: "'recipe.batch', 'input.side' or 'backbone'")
    let pictures = ClassifierEvaluation.pictures(in: context, classes: data.classes)
    let classifier = Classifier(
      backbone, choices: choices, classes: data.classes.count, dropout: recipe.dropout,
      momentum: recipe.batchNormMomentum, seeds: context.seeds)
    let loader = ClassificationLoader(data, input.loading(batch: recipe.batch), seeds: context.seeds)
    let share = PassShare([0..<recipe.replicas], for: context.team)
    let training = ClassifierTraining(
      classifier: classifier, path: choices.path, recipe: recipe,
      batches: BatchStream { first in
        loader.training(steps: first..<recipe.steps * share.own.count, dealtBy: { share.step($0) })
      }, seeds: context.seeds, team: context.team)
    try driver.run(training)
    try context.write("weights", state: classifier.store.state)
    let quality = try pictures.map { pictures in
      try ClassifierEvaluation(
        classifier: classifier, path: choices.path,
        loader: ClassificationLoader(pictures, input.loading(batch: recipe.batch), seeds: context.seeds, cacheBytes: 0),
        batch: recipe.batch, context: context
      ).metrics()
    }
    try context.write("quality", json: quality ?? [:])
  }
}

extension BackboneChoices {
  /// The path of a fixed backbone; nil of a supernet.
  fileprivate var path: [Int]? { if case .fixed(let path) = self { path } else { nil } }
}
