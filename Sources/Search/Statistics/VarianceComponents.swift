/// How much of what separates measurements comes from the models, and how much from measuring again: a balanced analysis
/// of variance with random models (Searle, Casella and McCulloch 1992, chapter 3), where wanted within fixed levels of a
/// factor, so that what the factor explains counts for neither (method 16.1).
public struct VarianceComponents: Hashable, Sendable {
  /// Standard deviation of measurements of one model.
  public let within: Double
  /// Standard deviation of the models themselves, with the former taken out: the method of moments, 0 where measurements
  /// of different models are no further apart than those of one.
  public let between: Double
  /// Share of the variance of single measurements that the models account for, 0 to 1: the intraclass correlation.
  public let reliability: Double
  /// The exact 95 % interval of that share, if models and measurements are normal; cut at 0. Nil where measurements of
  /// every model are equal.
  public let interval: ConfidenceInterval?
  /// Of the F test of models that do not differ; nil as the interval.
  public let pValue: Double?

  /// - Parameters:
  ///   - models: the measurements of each model, equally many, in order.
  ///   - levels: the level of a factor that each model has; nil for one level that all share.
  /// - Returns: nil unless there are two measurements and one model more than levels, and where all measurements are
  ///   equal.
  /// - Precondition: equally many measurements of each model.
  public init?(_ models: [[Double]], levels: [Int]? = nil) {
    let n = models.first?.count ?? 0
    let levels = levels ?? models.map { _ in 0 }
    precondition(models.allSatisfy { $0.count == n }, "VarianceComponents: not equally many measurements a model")
    precondition(levels.count == models.count, "VarianceComponents: \(models.count) models, \(levels.count) levels")
    let degrees = (models: models.count - Set(levels).count, measurements: models.count * (n - 1))
    guard degrees.models > 0, n > 1 else { return nil }
    let means = models.map { $0.reduce(0, +) / Double(n) }
    func squares(_ values: [Double]) -> Double {
      let centre = values.reduce(0, +) / Double(values.count)
      return values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
    }
    // Squares below this are rounding errors of means of equal measurements.
    let rounding = 1e-24 * models.joined().reduce(0) { max($0, $1 * $1) }
    func cleared(_ square: Double) -> Double { square > rounding ? square : 0 }
    let inside = cleared(models.reduce(0) { $0 + squares($1) } / Double(degrees.measurements))
    let apart = Set(levels).sorted().reduce(0) { sum, level in
      sum + squares(zip(means, levels).filter { $0.1 == level }.map(\.0))
    }
    let across = Double(n) * apart / Double(degrees.models)
    let own = cleared((across - inside) / Double(n))
    guard own + inside > 0 else { return nil }
    within = inside.squareRoot()
    between = own.squareRoot()
    reliability = own / (own + inside)
    guard inside > 0 else {
      (interval, pValue) = (nil, nil)
      return
    }
    let ratio = across / inside
    let distribution = FDistribution(Double(degrees.models), Double(degrees.measurements))
    pValue = distribution.upperTail(ratio)
    // The ratio is distributed as F times 1 + n share / (1 - share).
    func share(_ f: Double) -> Double { max(0, (f - 1) / (f + Double(n) - 1)) }
    interval = ConfidenceInterval(
      share(ratio / distribution.exceeded(with: 0.025)), share(ratio / distribution.exceeded(with: 0.975)))
  }
}
