import Determinism
import Pipelines
import Reports
import Search

/// What longer trainings or more data would give, by a power law through those that were tried (method 16.6).
struct FitLearningCurveStage: Stage {
  struct Parameters: StageParameters {
    /// The size that each result belongs to, such as updates or images.
    var sizes: [Int] = [1, 2, 4, 8]
    /// What the sizes count.
    var unit = "updates"
    /// Sizes to extrapolate to.
    var at: [Int] = []
    /// Panoptic qualities in [0, 1] whose size is wanted.
    var targets: [Double] = []
    init() {}
  }

  static let name = "fit-learning-curve"
  static let version = 1
  static let summary = "extrapolates panoptic quality by a power law of training lengths or data"
  /// As `compare-rankings`: one result of each size, from one to four seeds.
  static let inputs = RetrainedQualities.inputs
  static let outputs = [OutputPort("curve", "json"), OutputPort("figure", "tree")]
  static let highlights = [
    Highlight("PQ in the limit", of: "curve", at: "limit.value", scale: 100),
    Highlight("exponent", of: "curve", at: "exponent"),
    Highlight("deviation", of: "curve", at: "deviation", scale: 100),
  ]

  let parameters: Parameters

  init(parameters: Parameters) throws {
    try require(parameters.sizes.count, in: 3...10_000, "sizes")
    try require(Set(parameters.sizes).count >= 3, "sizes", "needs at least three different ones")
    try require(parameters.at.count, in: 0...1000, "at")
    for size in parameters.sizes { try require(size, in: stepCounts, "sizes") }
    for size in parameters.at { try require(size, in: stepCounts, "at") }
    try require(parameters.targets.count, in: 0...1000, "targets")
    for target in parameters.targets { try require(target, in: 0...1, "targets") }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    let found = try RetrainedQualities(of: context, count: parameters.sizes.count, "sizes").models
    guard let report = LearningCurveReport(parameters, found) else {
      throw StageInputError(
        description: "a power law needs four results: give results of another seed as 'again', or a fourth size")
    }
    try context.write("curve", json: report)
    try context.write("figure", svg: report.plot.svg, named: "learning-curve")
  }
}

/// A learning curve and what follows from it, as an artifact. Qualities are in [0, 1], intervals of 95 %.
struct LearningCurveReport: Codable, Sendable {
  struct Point: Codable, Sendable {
    var size: Double
    var value: Double
    var interval: ConfidenceInterval?
  }

  struct Target: Codable, Sendable {
    var quality: Double
    /// Nil where the curve never gets there.
    var size: Double?
    /// Share of the resampled curves that ever get there.
    var reached: Double
  }

  struct Measured: Codable, Sendable {
    var size: Int
    var values: [Double]
  }

  struct Limit: Codable, Sendable {
    var value: Double
    var interval: ConfidenceInterval?
  }

  var unit: String
  var measured: [Measured]
  /// a, b and c of a + b n^-c.
  var limit: Limit
  var factor: Double
  var exponent: Double
  /// Of results about the curve.
  var deviation: Double
  var predictions: [Point]
  var targets: [Target]
  /// The curve from the smallest to the largest size, for the figure.
  var course: [Point]

  init?(_ parameters: FitLearningCurveStage.Parameters, _ found: [[Double]]) {
    let sizes = zip(parameters.sizes, found).flatMap { size, values in values.map { _ in Double(size) } }
    let values = found.flatMap(\.self)
    guard let law = PowerLaw(sizes: sizes, values: values) else { return nil }
    let seeds = Seeds(kind: FitLearningCurveStage.name, seed: 0)
    let others = law.resampled(sizes: sizes, values: values, draws: 399, seeds: seeds)
    func point(_ size: Double) -> Point {
      Point(
        size: size, value: law.value(at: size),
        interval: ConfidenceInterval(percentilesOf: others.map { $0.value(at: size) }))
    }
    unit = parameters.unit
    measured = zip(parameters.sizes, found).map { Measured(size: $0, values: $1) }
    limit = Limit(value: law.limit, interval: ConfidenceInterval(percentilesOf: others.map(\.limit)))
    factor = law.factor
    exponent = law.exponent
    deviation = law.deviation
    predictions = parameters.at.map { point(Double($0)) }
    targets = parameters.targets.map { target in
      Target(
        quality: target, size: law.size(reaching: target),
        reached: Double(others.count { $0.size(reaching: target) != nil }) / Double(max(1, others.count)))
    }
    let ends = parameters.sizes + parameters.at
    let (low, high) = (Double(ends.min()!), Double(ends.max()!))
    course = (0...40).map { point(low * PortableMath.pow(high / low, Double($0) / 40)) }
  }

  var plot: LearningCurvePlot {
    LearningCurvePlot(
      title: "PQ by \(unit): \((100 * limit.value).text(digits: 1)) in the limit, exponent "
        + exponent.text(digits: 2), unit: unit,
      measured: measured.flatMap { point in point.values.map { (Double(point.size), $0) } },
      course: course.map { .init(size: $0.size, value: $0.value, interval: $0.interval) })
  }
}
