import Determinism
import Models
import Pipelines
import Search

/// What one architecture is worth on a planted landscape (method 15): in place of its evaluation in a supernet, for all
/// stages that take candidates.
///
/// `pq` of the result is `mean` + `deviation` × evaluation. Where things, stuff and segmentation would be measured, it
/// says the same quality, with every segment found; its number of images is 0.
struct PlantedFitnessStage: Stage {
  struct Parameters: NetworkParameters {
    var landscape = LandscapeDescription()
    /// Tells evaluations of one architecture apart, which have different noise.
    var evaluation = 0
    /// The `pq` of a random architecture: mean and standard deviation without noise.
    var mean = 0.5
    var deviation = 0.01
    var network = NetworkConfiguration()
    init() {}
  }

  static let name = "planted-fitness"
  static let version = 1
  static let summary = "evaluates one architecture on a planted landscape, whose optimum is known"
  static let inputs = [InputPort("architecture", "json")]
  static let outputs = [OutputPort("result", "json"), OutputPort("truth", "json")]
  static let isRandom = true
  static let highlights = [
    Highlight("PQ", of: "result", at: "pq", scale: 100), Highlight("regret", of: "truth", at: "regret"),
  ]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try parameters.network.check(at: "network")
    try parameters.landscape.check(at: "landscape", in: parameters.network)
    try require(parameters.evaluation, in: 0...counts.upperBound, "evaluation")
    try require(parameters.mean, in: 0...1, "mean")
    try require(parameters.deviation, in: 1e-9...1, "deviation")
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let architecture = try context.input("architecture").architecture(in: parameters.network)
    let landscape = PlantedLandscape(
      parameters.landscape, in: parameters.network.searchSpace, seeds: context.seeds)
    let genome = architecture.genome
    let found = landscape.evaluate(genome, evaluation: parameters.evaluation)
    let quality = parameters.mean + parameters.deviation * found
    guard (0...1).contains(quality) else {
      throw StageInputError(
        description: "an evaluation is \(found.text(digits: 2)) standard deviations from the mean, so its quality "
          + "\(quality.text(digits: 4)) is not in 0...1; choose a smaller 'deviation', or a 'mean' farther from 0 and 1"
      )
    }
    try context.write("result", json: CandidateResult(architecture: architecture, planted: quality))
    let (fitness, best) = (landscape.fitness(of: genome), landscape.optimum)
    try context.write(
      "truth",
      json: PlantedTruth(
        fitness: fitness, regret: best.fitness - fitness, optimum: Architecture(best.genome, in: landscape.space)))
  }
}

/// What no search sees of a planted landscape, in standard deviations of random architectures.
struct PlantedTruth: Codable, Sendable {
  /// Without noise.
  var fitness: Double
  /// How much fitter the optimum is.
  var regret: Double
  var optimum: Architecture
}

extension CandidateResult {
  /// A made-up quality.
  init(architecture: Architecture, planted quality: Double) {
    self.init(
      architecture: architecture, pq: quality, standardError: nil, things: quality, stuff: quality, sq: quality, rq: 1,
      images: 0)
  }
}

extension LandscapeDescription {
  /// - Throws: `ParameterError`
  func check(at place: String, in network: NetworkConfiguration) throws {
    try require(epistasis, in: 0...1, "\(place).epistasis")
    try require(noise, in: 0...1000, "\(place).noise")
    if let objection = objection(in: network.searchSpace) { throw ParameterError("network", objection) }
  }
}
