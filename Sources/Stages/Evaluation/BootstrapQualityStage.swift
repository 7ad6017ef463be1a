import Determinism
import Panoptic
import Pipelines
import Search

/// How far panoptic quality depends on the choice of validation images: intervals from images drawn with replacement
/// (method 16.4). What another training would give is another question, which `compare-rankings` answers.
struct BootstrapQualityStage: Stage {
  typealias Parameters = NoParameters

  static let name = "bootstrap-quality"
  static let version = 1
  static let summary = "says how far panoptic quality depends on the choice of images"
  /// `reference`: other predictions of the same images, for the difference to them.
  static let inputs = [
    InputPort("data", "tree"), InputPort("predictions", "tree"), InputPort("reference", "tree", optional: true),
  ]
  static let outputs = [OutputPort("sampling", "json")]
  static let highlights = [
    Highlight("PQ", of: "sampling", at: "pq.value", scale: 100),
    Highlight("at least", of: "sampling", at: "pq.interval.lower", scale: 100),
    Highlight("at most", of: "sampling", at: "pq.interval.upper", scale: 100),
    Highlight("beside the reference", of: "sampling", at: "difference.value", scale: 100),
    Highlight("at least", of: "sampling", at: "difference.interval.lower", scale: 100),
    Highlight("at most", of: "sampling", at: "difference.interval.upper", scale: 100),
  ]

  init(parameters: NoParameters) {}

  func run(in context: StageContext) throws {
    let (truth, guess) = (PanopticLayout.coco.validation, PanopticLayout.coco.predictions)
    let data = try PanopticSource(
      index: truth.index, labels: truth.labels, in: context.input("data").tree, role: .groundTruth)
    func quality(_ input: InputArtifact) throws -> PanopticQuality {
      try PanopticQuality(
        groundTruth: data,
        prediction: PanopticSource(index: guess.index, labels: guess.labels, in: input.tree, role: .prediction))
    }
    let own = try quality(context.input("predictions"))
    context.tell(own.notes)
    let report = SamplingReport(own, reference: try context.optionalInput("reference").map(quality))
    try context.write("sampling", json: report)
  }
}

/// Panoptic quality with its sampling error, as an artifact. Qualities are in [0, 1].
public struct SamplingReport: Codable, Sendable {
  struct Estimate: Codable, Sendable {
    var value: Double
    /// Standard deviation over the draws.
    var standardError: Double
    /// 95 %, the percentiles of the draws.
    var interval: ConfidenceInterval?

    enum CodingKeys: String, CodingKey {
      case value, interval
      case standardError = "standard-error"
    }

    init(_ value: Double, draws: [Double]) {
      self.value = value
      standardError = MeanEstimate(draws)?.deviation ?? 0
      interval = ConfidenceInterval(percentilesOf: draws)
    }
  }

  var images: Int
  var draws: Int
  var pq: Estimate
  var sq: Estimate
  var rq: Estimate
  var things: Estimate
  var stuff: Estimate
  /// Of PQ, to that of the reference, on the same images in each draw.
  var difference: Estimate?

  /// - Parameters:
  ///   - reference: of the same images.
  ///   - count: of draws.
  public init(_ quality: PanopticQuality, reference: PanopticQuality? = nil, draws count: Int = 1999) {
    // Fixed, so that all predictions of one data set have the same draws.
    let seeds = Seeds(kind: BootstrapQualityStage.name, seed: 0)
    let (all, found) = (quality.overall, quality.resampled(draws: count, seeds: seeds))
    func estimate(_ path: (PanopticQuality.Overall) -> Double) -> Estimate {
      Estimate(path(all), draws: found.map(path))
    }
    images = quality.images.count
    draws = count
    pq = estimate(\.pq)
    sq = estimate(\.sq)
    rq = estimate(\.rq)
    things = estimate(\.things)
    stuff = estimate(\.stuff)
    difference = reference.map { other in
      Estimate(
        all.pq - other.overall.pq,
        draws: zip(found, other.resampled(draws: count, seeds: seeds)).map { $0.pq - $1.pq })
    }
  }
}
