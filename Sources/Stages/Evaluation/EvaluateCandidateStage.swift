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
  static let usesTeam = true

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
    let evaluation = CandidateEvaluation(
      network: network, architecture: architecture, parameters: parameters, context: context,
      learning: try data.subset(split.train).usableForTraining(), validation: try data.subset(split.validation))
    let result = CandidateResult(
      architecture: architecture,
      quality: PanopticQuality(try evaluation.counts(), categories: data.categories))
    context.log("PQ \((100 * result.pq).text(digits: 2))")
    try context.write("result", json: result)
  }
}
