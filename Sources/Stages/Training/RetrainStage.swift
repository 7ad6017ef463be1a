import Datasets
import Models
import NN
import Panoptic
import Pipelines
import Search

/// Training of the selected architecture at its final width on the whole training set (spec 8). A network in which
/// nothing is searched needs no architecture.
struct RetrainStage: Stage {
  struct Parameters: NetworkParameters {
    var network = NetworkConfiguration(backbone: .retrain3G8)
    var recipe = PanopticRecipe()
    var input = PanopticInput()
    init() {}
  }

  static let name = "retrain-architecture"
  static let version = 1
  static let summary = "trains one architecture on the task from its pretrained backbone"
  static let inputs = [
    InputPort("data", "tree"), InputPort("weights", "tensors"), InputPort("architecture", "json", optional: true),
  ]
  static let outputs = [OutputPort("weights", "tensors")]
  static let traits = Traits.training
  static let isRandom = true

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

/// Trains a panoptic network whose backbone starts from the artifact `weights`, and writes it as the output `weights`.
func trainPanoptic(
  by driver: TrainingDriver, data: PanopticDataset, network configuration: NetworkConfiguration,
  content: NetworkContent, paths: PanopticTraining.Paths, recipe: PanopticRecipe, input: PanopticInput
) throws {
  let context = driver.context
  let (things, stuff) = (data.categories.things.count, data.categories.stuff.count)
  try context.requireMemory(
    values: MemoryNeed.training(
      configuration, isSupernet: content == .supernet, things: things, stuff: stuff, recipe: recipe, input: input,
      images: data.samples.count),
    advice: "'recipe.batch', 'input.resize' or 'network'")
  let network = PanopticNetwork(
    configuration, thingClasses: things, stuffClasses: stuff, content: content,
    batchNormMomentum: recipe.batchNormMomentum, seeds: context.seeds)
  try network.store.load(StateDictionary(fileAt: context.input("weights").path), prefix: "body/")
  let loader = try PanopticLoader(
    context.usableForTraining(data), input.loading(batch: recipe.batch), seeds: context.seeds)
  let training = PanopticTraining(
    network: network, paths: paths, recipe: recipe,
    batches: BatchStream { loader.training(steps: $0..<recipe.updates * paths.count) }, seeds: context.seeds)
  try driver.run(training)
  try context.write("weights", tensors: network.file(batchNormMomentum: recipe.batchNormMomentum))
}
