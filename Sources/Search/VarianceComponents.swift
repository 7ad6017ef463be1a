/// How much of what separates measurements comes from the models, and how much from measuring again: a one-way analysis
/// of variance with random effects.
public struct VarianceComponents: Hashable, Sendable {
  /// Standard deviation of measurements of one model.
  public let within: Double
  /// Standard deviation of the models themselves, with the former taken out: the method of moments, 0 where measurements
  /// of different models are no further apart than those of one.
  public let between: Double
  /// Share of the variance of single measurements that the models account for, 0 to 1: the intraclass correlation.
  public let reliability: Double

  /// - Parameter models: the measurements of each model, equally many, in order.
  /// - Returns: nil for fewer than two models or two measurements, and where all of them are equal.
  /// - Precondition: equally many measurements of each model.
  public init?(_ models: [[Double]]) {
    let n = models.first?.count ?? 0
    precondition(models.allSatisfy { $0.count == n }, "VarianceComponents: not equally many measurements a model")
    guard models.count > 1, n > 1 else { return nil }
    let means = models.map { $0.reduce(0, +) / Double(n) }
    let mean = means.reduce(0, +) / Double(means.count)
    func squares(_ values: [Double], about centre: Double) -> Double {
      values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) }
    }
    let inside =
      zip(models, means).reduce(0) { $0 + squares($1.0, about: $1.1) } / Double(models.count * (n - 1))
    let across = Double(n) * squares(means, about: mean) / Double(models.count - 1)
    let own = max(0, (across - inside) / Double(n))
    guard own + inside > 0 else { return nil }
    within = inside.squareRoot()
    between = own.squareRoot()
    reliability = own / (own + inside)
  }
}
