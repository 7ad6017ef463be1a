/// How far two judges of the same models agree in their order.
public enum RankCorrelation {
  /// Kendall's τ_b (Kendall 1945): 1 for the same order, -1 for the reverse, near 0 where one says nothing of the other;
  /// ties of either judge count for neither order.
  ///
  /// - Returns: nil where a judge holds all models for equal, as it does where there are fewer than two.
  /// - Precondition: one finite value of each judge a model.
  public static func kendall(_ x: [Double], _ y: [Double]) -> Double? {
    precondition(x.count == y.count, "kendall: \(x.count) and \(y.count) values")
    precondition((x + y).allSatisfy(\.isFinite), "kendall: a value is not finite")
    var (balance, orderedByX, orderedByY) = (0, 0, 0)
    for i in x.indices {
      for j in x.indices[..<i] {
        let a = (x[i] > x[j] ? 1 : 0) - (x[i] < x[j] ? 1 : 0)
        let b = (y[i] > y[j] ? 1 : 0) - (y[i] < y[j] ? 1 : 0)
        balance += a * b
        orderedByX += a * a
        orderedByY += b * b
      }
    }
    guard orderedByX > 0, orderedByY > 0 else { return nil }
    return Double(balance) / (Double(orderedByX) * Double(orderedByY)).squareRoot()
  }
}
