import Autograd
import Datasets
import Determinism
import Models
import Panoptic
import Pipelines
import Search
import Vision

/// How the batch norm statistics of a candidate are gathered (method 6).
struct RecalibrationParameters: Codable, Hashable, Sendable {
  /// The published code takes 500 batches of 16; the paper speaks of 500 images (fidelity 6).
  var batches = 500
  var batch = 16
  /// Of order and flips of the images, which depend on nothing else: they are the same for all candidates.
  var seed: UInt64 = 0

  enum Averaging: String, Switch {
    /// Each batch has the weight of the network's momentum, as in the published code. After k batches 0.9^k of the
    /// initial mean 0 and variance 1 is left: nothing after 500, half after six.
    case exponential
    /// All batches have equal weight, and nothing is left of the initial values.
    case equal
    static let recommended = Averaging.exponential
  }
  var averaging = Averaging.recommended
}

/// Evaluates one candidate of the search: gathers its own batch norm statistics, then measures panoptic quality on the
/// search-validation images (method 6, 7.2). The result is a function of supernet, architecture and data alone.
struct EvaluateCandidateStage: Stage {
  struct Parameters: StageParameters {
    var recalibration = RecalibrationParameters()
    var input = PanopticInput()
    var fusion = FusionParameters()
    init() {}
  }

  static let name = "evaluate-candidate"
  static let version = 3
  static let summary = "recalibrates one architecture inside the supernet and measures its panoptic quality"
  static let inputs = [
    InputPort("data", "tree"), InputPort("split", "json"), InputPort("weights", "tensors"),
    InputPort("architecture", "json"),
  ]
  static let outputs = [OutputPort("result", "json")]
  static let highlights = [Highlight("PQ", of: "result", at: "pq", scale: 100)]
  static let traits = Traits.training

  let parameters: Parameters
  private let operators: NetworkCatalog

  init(parameters: Parameters) throws { try self.init(parameters: parameters, operators: .published) }

  /// - Parameter operators: what the network of `weights` may consist of.
  init(parameters: Parameters, operators: NetworkCatalog) throws {
    try parameters.recalibration.check(at: "recalibration")
    try parameters.input.check(at: "input")
    try parameters.fusion.check(at: "fusion")
    self.parameters = parameters
    self.operators = operators
  }

  func run(in context: StageContext) throws {
    let architecture = try context.input("architecture").plausibleArchitecture()
    let network = try PanopticNetwork.load(
      fileAt: context.input("weights").path, content: .fixed(architecture), operators: operators)
    let data = try context.panopticData(PanopticLayout.coco.training, isRepeated: true)
    let split = try context.input("split").decoded(as: SearchSplit.self)
    try context.requireMemory(
      values: MemoryNeed.evaluation(
        network, input: parameters.input, batch: min(parameters.recalibration.batch, split.train.count)),
      advice: "'input.resize' or 'recalibration.batch'")
    try recalibrate(network, architecture, data: data.subset(split.train), context: context)
    let validation = try data.subset(split.validation)
    let loader = try PanopticLoader(
      validation, parameters.input.loading(batch: 1), seeds: PanopticPredictor.unusedSeeds)
    let predictor = PanopticPredictor(
      network: network, path: architecture, categories: data.categories, fusion: parameters.fusion.fusion)
    var counts: [[PanopticQuality.CategoryCounts]] = []
    for (index, sample) in validation.samples.enumerated() {
      try context.checkCancelled()
      counts.append(
        try PanopticQuality.match(
          groundTruth: PanopticSegmentation(
            map: loader.picture(index).labelImage, segments: sample.annotation.segments),
          prediction: predictor.segmentation(of: loader.evaluationBatch(samples: [index])),
          categories: data.categories,
          place: sample.labelPath))
      context.progress(step: counts.count, of: validation.samples.count, unit: "images")
    }
    let result = CandidateResult(
      architecture: architecture, quality: PanopticQuality(counts, categories: data.categories))
    context.log("PQ \((100 * result.pq).text(digits: 2))")
    try context.write("result", json: result)
  }

  /// Resets the statistics of the supernet and gathers those of this path. Only the backbone has batch norm, so nothing
  /// else runs.
  private func recalibrate(
    _ network: PanopticNetwork, _ architecture: Architecture, data: PanopticDataset, context: StageContext
  ) throws {
    network.backbone.resetStatistics()
    let settings = parameters.recalibration
    let loader = try PanopticLoader(
      data.usableForTraining(), parameters.input.loading(batch: settings.batch),
      seeds: Seeds(kind: "recalibration", seed: settings.seed))
    for step in 0..<settings.batches {
      try context.checkCancelled()
      let pass = Pass(mode: .recalibration)
      if settings.averaging == .equal { pass.statisticsWeight = 1 / Double(step + 1) }
      _ = network.backbone(pass.constant(try loader.trainingBatch(step: step).images), path: architecture.backbone)
      pass.commitStatistics()
    }
  }
}
