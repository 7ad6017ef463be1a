import Determinism
import Models
import Pipelines

/// What running a pipeline from nothing would take, told from its parameters and a short calibration.
public struct PipelineEstimate: Sendable {
  public struct Stage: Sendable {
    public var name: String
    public var kind: String
    /// Nil where results of the run decide.
    public var instances: Int? = 1
    /// Steps of one instance, and what they are called.
    public var steps: (count: Int, unit: String)?
    /// Of all instances; what follows likewise.
    public var images = 0
    public var multiplyAdds = 0.0
    /// Nil for stages that compute no network; those take seconds, or as long as the disk.
    public var seconds: Double?
    /// Largest at any time.
    public var memory = 0
    /// Of the results; checkpoints of a training, which are removed at its end, come on top.
    public var bytesWritten = 0
    public var checkpointBytes = 0
    /// GPU-hours that the paper states for the same work, and how.
    public var paper: (hours: Double, text: String)?
  }

  public let stages: [Stage]
  /// Spent on measuring this machine.
  public let calibrationSeconds: Double

  public var seconds: Double { stages.reduce(0) { $0 + ($1.seconds ?? 0) } }
  public var multiplyAdds: Double { stages.reduce(0) { $0 + $1.multiplyAdds } }
  public var memory: Int { stages.map(\.memory).max() ?? 0 }
  public var bytesWritten: Int { stages.lazy.map(\.bytesWritten).sumSaturated() }

  /// - Throws: `DatasetError` for miniatures with parameters out of range, `PipelineError` for networks that no machine
  ///   could measure.
  public init(_ pipeline: Pipeline) throws {
    var estimator = Estimator()
    var stages: [Stage] = []
    for summary in pipeline.summaries {
      stages.append(try estimator.estimate(summary))
    }
    self.stages = stages
    calibrationSeconds = estimator.calibration.seconds
  }
}

/// Walks the stages in their order and remembers what later ones ask for.
private struct Estimator {
  var calibration = Calibration()
  /// Data sets by the stage that gives them.
  private var data: [String: DataSize] = [:]
  /// Search-validation images by the stage that draws them.
  private var splits: [String: Int] = [:]
  /// Elements of arrays by the stage that makes them.
  private var arrays: [String: Int] = [:]
  /// Networks by the stage that trains them.
  private var configurations: [String: (network: NetworkConfiguration, data: DataSize)] = [:]
  /// Networks that were measured, by their canonical parameters.
  private var classifiers: [String: Calibration.Measure] = [:]
  private var networks:
    [String: (training: Calibration.Measure, testing: Calibration.Measure, backbone: Calibration.Measure)] = [:]

  mutating func estimate(_ stage: Pipeline.StageSummary) throws -> PipelineEstimate.Stage {
    var result = PipelineEstimate.Stage(name: stage.name, kind: stage.kind.name)
    let source = stage.inputs["data"] ?? stage.inputs["source"]
    if let size = try DataSize(stage) ?? source.flatMap({ data[$0.stage] }) { data[stage.name] = size }
    let network = try? stage.parameters["network"]?.decoded(as: NetworkConfiguration.self)
    try network.map { try NetworkBulk($0).check(stage: stage.name) }
    // One round makes as many elements as `count`, `cycles` windows or a `population`.
    let space = network?.searchSpace
    if let cycles = stage.parameters["cycles"]?.integerValue {
      arrays[stage.name] = cycles.multipliedSaturated(by: space?.blockLength ?? 1)
    } else {
      arrays[stage.name] = stage.parameters["count"]?.integerValue ?? stage.parameters["population"]?.integerValue
    }
    let rounds = stage.rounds
    result.instances =
      stage.forEach.map { array in arrays[array.stage].map { $0.multipliedSaturated(by: rounds) } } ?? rounds
    let size = source.flatMap { data[$0.stage] } ?? DataSize()
    switch stage.kind.name {
    case DrawSearchSplitStage.name:
      splits[stage.name] =
        try stage.parameters.decoded(as: DrawSearchSplitStage.Parameters.self).validationImages
    case FinetuneSupernetStage.name:
      let p = try stage.parameters.decoded(as: FinetuneSupernetStage.Parameters.self)
      let passes = p.network.searchSpace.blockLength
      trainPanoptic(&result, p.network, .supernet, p.recipe, p.input, passes: passes, size)
    case RetrainStage.name:
      let p = try stage.parameters.decoded(as: RetrainStage.Parameters.self)
      let content = NetworkContent.fixed(p.network.evenArchitectures[0])
      trainPanoptic(&result, p.network, content, p.recipe, p.input, passes: p.recipe.replicas, size)
    case EvaluateCandidateStage.name:
      let p = try stage.parameters.decoded(as: EvaluateCandidateStage.Parameters.self)
      let validation = stage.inputs["split"].flatMap { splits[$0.stage] } ?? 0
      if let weights = stage.inputs["weights"], let network = configurations[weights.stage] {
        evaluate(&result, network, p, validation: validation, size)
      }
    case PredictPanopticStage.name:
      let p = try stage.parameters.decoded(as: PredictPanopticStage.Parameters.self)
      if let weights = stage.inputs["weights"], let network = configurations[weights.stage] {
        predict(&result, network, p.input, images: size.validation, size)
      }
    default:
      if let pretraining = try Pretraining(stage) {
        try NetworkBulk(pretraining.backbone).check(stage: stage.name)
        pretrain(&result, pretraining)
      }
    }
    if let network { configurations[stage.name] = (network, size) }
    return result
  }

  // MARK: Kinds of work

  private mutating func pretrain(_ result: inout PipelineEstimate.Stage, _ p: Pretraining) {
    let paths = p.backbone.evenPaths
    let content = p.isSupernet ? BackboneChoices.supernet : .fixed(paths[0])
    let identity = Estimator.identity(p.backbone, isSupernet: p.isSupernet)
    let measure =
      classifiers[identity] ?? calibration.classifierTraining(p.backbone, content: content, side: p.input.side)
    classifiers[identity] = measure
    let work = NetworkWork(p.backbone, paths: paths, side: p.input.side)
    let images = p.recipe.batch.multipliedSaturated(by: p.recipe.replicas)
    result.steps = (p.recipe.steps, "updates")
    result.images = p.recipe.steps.multipliedSaturated(by: images)
    result.multiplyAdds = Double(result.images) * work.training
    result.seconds = result.multiplyAdds / measure.rate
    let pixels = Double(images) * Double(p.input.side) * Double(p.input.side)
    weights(&result, measure, activations: pixels * measure.bytesPerPixel)
  }

  private mutating func trainPanoptic(
    _ result: inout PipelineEstimate.Stage, _ network: NetworkConfiguration, _ content: NetworkContent,
    _ recipe: PanopticRecipe, _ input: PanopticInput, passes: Int, _ size: DataSize
  ) {
    let (usual, largest) = pictures(input)
    let measure = measure(network, content, size, usual).training
    let architectures = network.evenArchitectures
    let work = NetworkWork(
      network, architectures: architectures, data: size, height: usual.height, width: usual.width)
    result.steps = (recipe.updates, "updates")
    result.images = [recipe.updates, passes, recipe.batch].productSaturated()
    result.multiplyAdds = Double(result.images) * work.training
    result.seconds = result.multiplyAdds / measure.rate
    let perImage = Double(largest.height) * Double(largest.width) * measure.bytesPerPixel + measure.bytesPerImage
    weights(&result, measure, activations: Double(recipe.batch) * perImage)
  }

  private mutating func evaluate(
    _ result: inout PipelineEstimate.Stage, _ trained: (network: NetworkConfiguration, data: DataSize),
    _ p: EvaluateCandidateStage.Parameters, validation: Int, _ size: DataSize
  ) {
    let (usual, largest) = pictures(p.input)
    let measures = measure(trained.network, .supernet, size, usual)
    let work = NetworkWork(
      trained.network, architectures: trained.network.evenArchitectures, data: size, height: usual.height,
      width: usual.width)
    let count = Double(result.instances ?? 1)
    let recalibrated = p.recalibration.batches.multipliedSaturated(by: p.recalibration.batch)
    result.steps = (p.recalibration.batches.addingSaturated(validation), "batches and images")
    result.images = recalibrated.addingSaturated(validation).multipliedSaturated(by: result.instances ?? 1)
    let passes = (Double(recalibrated) * work.backbone, Double(validation) * (work.testing + work.masks))
    result.multiplyAdds = count * (passes.0 + passes.1)
    result.seconds = count * (passes.0 / measures.backbone.rate + passes.1 / measures.testing.rate)
    // Results of a backbone in recalibration live for one layer; twice the largest stage is plenty.
    result.memory = [
      4 * measures.testing.parameters,
      [4 * 3 * 16, p.recalibration.batch, largest.height, largest.width].productSaturated(),
    ].sumSaturated()
    result.bytesWritten = 1000.multipliedSaturated(by: result.instances ?? 1)
    // The paper says it of COCO.
    if trained.network.backbone.stageChannels == BackboneConfiguration.search1G3.stageChannels,
      trained.data.things == DataSize.coco.things
    {
      let hours = 8.0 / 60 * 8 * count
      result.paper = (hours, "8 minutes a model on 8 V100")
    }
  }

  private mutating func predict(
    _ result: inout PipelineEstimate.Stage, _ trained: (network: NetworkConfiguration, data: DataSize),
    _ input: PanopticInput, images: Int, _ size: DataSize
  ) {
    let (usual, largest) = pictures(input)
    let measure = measure(trained.network, .fixed(trained.network.evenArchitectures[0]), trained.data, usual).testing
    let work = NetworkWork(
      trained.network, architectures: trained.network.evenArchitectures, data: trained.data, height: usual.height,
      width: usual.width)
    result.steps = (images, "images")
    result.images = images
    result.multiplyAdds = Double(images) * (work.testing + work.masks)
    result.seconds = result.multiplyAdds / measure.rate
    result.memory = [
      4 * measure.parameters, [4 * 512, largest.height, largest.width].productSaturated(),
    ].sumSaturated()
    // A panoptic PNG of a photograph's size has some 20 kB.
    result.bytesWritten = images.multipliedSaturated(by: 20_000)
  }

  // MARK: Parts

  private static func identity(_ configuration: some Encodable, isSupernet: Bool) -> String {
    let text = (try? CanonicalValue(encoding: configuration).canonicalText) ?? ""
    return isSupernet ? text + " supernet" : text
  }

  /// The padded size of a usual picture (3:4) and of the largest.
  private func pictures(
    _ input: PanopticInput
  ) -> (usual: (height: Int, width: Int), largest: (height: Int, width: Int)) {
    func padded(_ side: Int) -> Int { (side + 31) / 32 * 32 }
    let usual = input.resize.size(width: 640, height: 480)
    return (
      (padded(usual.height), padded(usual.width)),
      (padded(input.resize.shorterSide), padded(input.resize.longestSide))
    )
  }

  private mutating func measure(
    _ network: NetworkConfiguration, _ content: NetworkContent, _ size: DataSize,
    _ picture: (height: Int, width: Int)
  ) -> (training: Calibration.Measure, testing: Calibration.Measure, backbone: Calibration.Measure) {
    let identity = Estimator.identity(network, isSupernet: content == .supernet)
    if let known = networks[identity] { return known }
    let measured = calibration.panoptic(
      network, content: content, data: size, height: picture.height, width: picture.width)
    networks[identity] = measured
    return measured
  }

  /// Memory and disk of a training: values, velocities, sums of gradients and a pass's own; what waits for the way
  /// back, and a quarter more for gradients on their way, what operations need for themselves, and many objects.
  private func weights(
    _ result: inout PipelineEstimate.Stage, _ measure: Calibration.Measure, activations: Double
  ) {
    result.memory = (4 * 4 * measure.parameters).addingSaturated(Int(saturating: activations * 1.25))
    result.bytesWritten = 4 * measure.parameters
    result.checkpointBytes = 2 * 4 * measure.parameters
  }
}

/// A stage that trains a classifier.
private struct Pretraining {
  var backbone: BackboneConfiguration
  var recipe: ClassifierRecipe
  var input: ClassificationInput
  var isSupernet: Bool

  /// Nil for other kinds.
  init?(_ stage: Pipeline.StageSummary) throws {
    guard stage.kind.name.hasPrefix("pretrain-"), let backbone = stage.parameters["backbone"],
      let recipe = stage.parameters["recipe"], let input = stage.parameters["input"]
    else { return nil }
    self.backbone = try backbone.decoded(as: BackboneConfiguration.self)
    self.recipe = try recipe.decoded(as: ClassifierRecipe.self)
    self.input = try input.decoded(as: ClassificationInput.self)
    isSupernet = stage.kind.name == PretrainSupernetStage.name
  }
}
