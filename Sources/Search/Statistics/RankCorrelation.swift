/// How far two judges of the same models agree in their order.
public enum RankCorrelation {
  /// Kendall's τ_b (Kendall 1945): 1 for the same order, -1 for the reverse, near 0 where one says nothing of the other;
  /// ties of either judge count for neither order.
  ///
  /// - Returns: nil where a judge holds all models for equal, as it does where there are fewer than two.
  /// - Precondition: one finite value of each judge a model.
  public static func kendall(_ x: [Double], _ y: [Double]) -> Double? { PairOrders(x, y).tau() }
}

/// How two judges order each pair of models.
struct PairOrders {
  let count: Int
  /// Of each pair i > j in order: the signs of both judges' differences.
  private let signs: [(x: Int, y: Int)]

  /// - Precondition: one finite value of each judge a model.
  init(_ x: [Double], _ y: [Double]) {
    precondition(x.count == y.count, "kendall: \(x.count) and \(y.count) values")
    precondition((x + y).allSatisfy(\.isFinite), "kendall: a value is not finite")
    func sign(_ a: Double, _ b: Double) -> Int { (a > b ? 1 : 0) - (a < b ? 1 : 0) }
    count = x.count
    signs = x.indices.flatMap { i in x.indices[..<i].map { j in (sign(x[i], x[j]), sign(y[i], y[j])) } }
  }

  /// Pairs in order less pairs in reverse.
  var balance: Int { signs.reduce(0) { $0 + $1.x * $1.y } }
  var hasTies: Bool { signs.contains { $0.x == 0 || $0.y == 0 } }

  func tau() -> Double? { tau(weights: [Int](repeating: 1, count: count)) }

  /// τ_b where each model counts as often as `weights` say. Copies of one model are no pair.
  func tau(weights: [Int]) -> Double? {
    var (balance, orderedByX, orderedByY, pair) = (0, 0, 0, 0)
    for i in 0..<count {
      for j in 0..<i {
        let (a, b) = signs[pair]
        let weight = weights[i] * weights[j]
        pair += 1
        balance += weight * a * b
        orderedByX += weight * a * a
        orderedByY += weight * b * b
      }
    }
    guard orderedByX > 0, orderedByY > 0 else { return nil }
    return Double(balance) / (Double(orderedByX) * Double(orderedByY)).squareRoot()
  }
}
