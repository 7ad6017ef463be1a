import Determinism

/// Kendall's τ_b of judges of the same models, with what chance would make of it (method 16.2).
public struct RankAgreement: Hashable, Sendable {
  /// How a p-value was found.
  public enum Test: String, Hashable, Sendable, Codable {
    /// From the distribution of τ over all orders.
    case exact
    /// From the normal approximation, whose variance allows for ties.
    case normal
    /// From random orders.
    case permutation
  }

  /// Mean of τ_b over all pairs of judges that are compared.
  public let tau: Double
  /// Percentile interval of a bootstrap over the models; nil for fewer than four models.
  public let interval: ConfidenceInterval?
  /// Two-sided: how often judges that know nothing of each other agree or disagree as much.
  public let pValue: Double
  public let test: Test

  /// Of two judges.
  /// - Returns: nil where one of them holds all models for equal.
  public init?(_ x: [Double], _ y: [Double], seeds: Seeds) {
    let orders = PairOrders(x, y)
    guard let tau = orders.tau() else { return nil }
    let isExact = !orders.hasTies && x.count <= 100
    self.init(
      tau: tau, interval: RankAgreement.interval([orders], seeds),
      pValue: isExact
        ? RankAgreement.exactTail(orders.balance, x.count) : RankAgreement.normalTail(orders.balance, x, y),
      test: isExact ? .exact : .normal)
  }

  /// Of any number of judges with each other.
  /// - Returns: nil for fewer than two judges, and where one of them holds all models for equal.
  public init?(among judges: [[Double]], seeds: Seeds) {
    guard judges.count != 2 else {
      guard let both = RankAgreement(judges[0], judges[1], seeds: seeds) else { return nil }
      self = both
      return
    }
    func pairs(_ judges: [[Double]]) -> [PairOrders] {
      judges.indices.flatMap { i in judges.indices[..<i].map { PairOrders(judges[$0], judges[i]) } }
    }
    guard let tau = RankAgreement.mean(pairs(judges)) else { return nil }
    let draws = 1999
    let atLeast = (0..<draws).count { draw in
      var random = seeds.stream("permutation/\(draw)")
      let shuffled = judges.map { values in
        var values = values
        random.shuffle(&values)
        return values
      }
      // Equal values may be summed to a mean that differs in its last bits.
      return abs(RankAgreement.mean(pairs(shuffled)) ?? 0) > abs(tau) - 1e-12
    }
    self.init(
      tau: tau, interval: RankAgreement.interval(pairs(judges), seeds),
      pValue: Double(atLeast + 1) / Double(draws + 1), test: .permutation)
  }

  private init(tau: Double, interval: ConfidenceInterval?, pValue: Double, test: Test) {
    (self.tau, self.interval, self.pValue, self.test) = (tau, interval, pValue, test)
  }

  /// - Returns: nil for no pairs, and where a judge holds all models for equal.
  private static func mean(_ pairs: [PairOrders], weights: [Int]? = nil) -> Double? {
    let taus = pairs.compactMap { weights.map($0.tau(weights:)) ?? $0.tau() }
    return taus.isEmpty || taus.count < pairs.count ? nil : taus.reduce(0, +) / Double(taus.count)
  }

  private static func interval(_ pairs: [PairOrders], _ seeds: Seeds) -> ConfidenceInterval? {
    let count = pairs[0].count
    guard count >= 4 else { return nil }
    let taus = (0..<1999).compactMap { draw -> Double? in
      var random = seeds.stream("bootstrap/\(draw)")
      var weights = [Int](repeating: 0, count: count)
      for _ in 0..<count { weights[random.below(count)] += 1 }
      return mean(pairs, weights: weights)
    }
    return ConfidenceInterval(percentilesOf: taus)
  }

  /// From the number of orders with each number of inversions (Kendall 1970, section 5.3): an n-th model adds 0 to n - 1
  /// of them.
  static func exactTail(_ balance: Int, _ count: Int) -> Double {
    let pairs = count * (count - 1) / 2
    var share = [1.0]
    for n in stride(from: 2, through: count, by: 1) {
      var next = [Double](repeating: 0, count: n * (n - 1) / 2 + 1)
      for (inversions, value) in share.enumerated() {
        for added in 0..<n { next[inversions + added] += value / Double(n) }
      }
      share = next
    }
    let fewest = (pairs - abs(balance)) / 2
    return min(1, 2 * share[...fewest].reduce(0, +))
  }

  /// Kendall 1970, section 4.4, without a correction for continuity.
  static func normalTail(_ balance: Int, _ x: [Double], _ y: [Double]) -> Double {
    let n = Double(x.count)
    func sums(_ values: [Double]) -> (pairs: Double, triples: Double, spread: Double) {
      let sorted = values.sorted()
      var (pairs, triples, spread, start) = (0.0, 0.0, 0.0, 0)
      for i in sorted.indices where i + 1 == sorted.count || sorted[i + 1] != sorted[i] {
        let t = Double(i + 1 - start)
        pairs += t * (t - 1)
        triples += t * (t - 1) * (t - 2)
        spread += t * (t - 1) * (2 * t + 5)
        start = i + 1
      }
      return (pairs, triples, spread)
    }
    let (a, b) = (sums(x), sums(y))
    var variance = (n * (n - 1) * (2 * n + 5) - a.spread - b.spread) / 18 + a.pairs * b.pairs / (2 * n * (n - 1))
    if x.count > 2 { variance += a.triples * b.triples / (9 * n * (n - 1) * (n - 2)) }
    guard variance > 0 else { return 1 }
    return NormalDistribution.twoSidedTail(Double(balance) / variance.squareRoot())
  }
}
