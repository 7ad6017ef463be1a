import Determinism
import Search

/// Regrets of all policies on all kinds of landscapes, with 95 % intervals of the means: an artifact.
struct LandscapeSummary: Codable, Sendable {
  /// A policy on landscapes of one kind.
  struct Policy: Codable, Sendable {
    var policy: String
    var evaluations: [Int]
    /// Of each number of evaluations.
    var regret: [MeanInterval]
    /// How much larger its regret is than that of path-priority search after as many evaluations, on the same landscapes;
    /// null where that was not judged then.
    var behind: [MeanInterval?]
  }

  /// Landscapes of one kind.
  struct Kind: Codable, Sendable {
    var landscape: LandscapeDescription
    var landscapes: Int
    var policies: [Policy]
    /// Path-priority search, evolution and random search, each after as many evaluations as in the paper.
    var paper: PolicyOrder
    /// The three after as many as path-priority search.
    var equal: PolicyOrder
    var table5: PrintedPlace
  }

  var kinds: [Kind]
  /// Means of these shares over all kinds.
  var ordered: Double
  var printed: Double
  var allOrdered: Double
  var likelihood: [FactorShare]

  enum CodingKeys: String, CodingKey {
    case kinds, ordered, printed, likelihood
    case allOrdered = "all-ordered"
  }
}

/// The share of one value of a factor among the landscapes that agree with the paper, where all kinds of landscapes are held
/// for equally likely beforehand.
struct FactorShare: Codable, Sendable {
  var factor: String
  var value: String
  /// Of the landscapes with table 5 as printed; null where there are none.
  var printed: Double?
  /// Of the landscapes with the four models of tables 3 and 5 in order; null where there are none.
  var allOrdered: Double?

  enum CodingKeys: String, CodingKey {
    case factor, value, printed
    case allOrdered = "all-ordered"
  }
}

/// How three policies compare on the same landscapes.
struct PolicyOrder: Codable, Sendable {
  /// Of path-priority search, evolution and random search.
  var evaluations: [Int]
  var regret: [MeanInterval]
  /// Means of differences of regrets: how much better path-priority search is than evolution, evolution than random search,
  /// and path-priority search than random search.
  var pathPriorityOverEvolution: MeanInterval
  var evolutionOverRandom: MeanInterval
  var pathPriorityOverRandom: MeanInterval
  /// Share of landscapes on which path-priority search is better than evolution, and evolution better than random search.
  var ordered: Double
  /// Share of those on which neither difference is more than twice the other as well.
  var printed: Double

  enum CodingKeys: String, CodingKey {
    case evaluations, regret, ordered, printed
    case pathPriorityOverEvolution = "path-priority-over-evolution"
    case evolutionOverRandom = "evolution-over-random"
    case pathPriorityOverRandom = "path-priority-over-random"
  }

  /// - Parameters:
  ///   - regrets: of path-priority search, evolution and random search, by landscape.
  ///   - reach: of intervals over as many landscapes.
  init(evaluations: [Int], regrets: [[Double]], reach: Double) {
    let (own, evolution, random) = (regrets[0], regrets[1], regrets[2])
    self.evaluations = evaluations
    regret = regrets.map { MeanInterval($0, reach: reach) }
    func gain(_ better: [Double], _ worse: [Double]) -> [Double] { zip(better, worse).map { $1 - $0 } }
    let gains = zip(gain(own, evolution), gain(evolution, random)).map { (first: $0, second: $1) }
    pathPriorityOverEvolution = MeanInterval(gains.map(\.first), reach: reach)
    evolutionOverRandom = MeanInterval(gains.map(\.second), reach: reach)
    pathPriorityOverRandom = MeanInterval(gain(own, random), reach: reach)
    let inOrder = gains.filter { $0.first > 0 && $0.second > 0 }
    ordered = Double(inOrder.count) / Double(gains.count)
    let alike = inOrder.filter { $0.first <= 2 * $0.second && $0.second <= 2 * $0.first }
    printed = Double(alike.count) / Double(gains.count)
  }

  /// The policy with the least mean regret, and how much less it is than that of the second.
  var winner: (place: Int, lead: Double, isCertain: Bool) {
    let order = regret.indices.sorted { (regret[$0].mean, $0) < (regret[$1].mean, $1) }
    let pair = [order[0], order[1]].sorted()
    let difference =
      pair == [0, 1] ? pathPriorityOverEvolution : pair == [1, 2] ? evolutionOverRandom : pathPriorityOverRandom
    return (order[0], difference.mean.magnitude, difference.low > 0 || difference.high < 0)
  }
}

/// Where the paper's numbers lie on landscapes of one kind: PQ = a + b · fitness, by least squares through the best of five
/// random models (table 3), random search, evolution and path-priority search (table 5).
struct PrintedPlace: Codable, Sendable {
  /// b: the standard deviation of random models in percent PQ that these landscapes imply.
  var deviation: Double
  /// Root mean square of what remains of the four numbers, in percent PQ.
  var residual: Double
  /// Share of landscapes on which the four are in order.
  var allOrdered: Double

  enum CodingKeys: String, CodingKey {
    case deviation, residual
    case allOrdered = "all-ordered"
  }

  static let reported = [41.1, 42.8, 43.8, 44.8]

  /// - Parameter regrets: by model in the order of `reported`, and by landscape.
  init(regrets: [[Double]]) {
    let landscapes = regrets[0].indices
    let inOrder = landscapes.count { i in zip(regrets, regrets.dropFirst()).allSatisfy { $0[i] > $1[i] } }
    allOrdered = Double(inOrder) / Double(landscapes.count)
    let (x, y) = (regrets.map { -$0.reduce(0, +) / Double(landscapes.count) }, PrintedPlace.reported)
    let count = Double(x.count)
    let (meanX, meanY) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
    let products = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) }
    let squares = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
    let slope = squares > 0 ? products / squares : 0
    deviation = slope
    let rest = zip(x, y).map { $1 - meanY - slope * ($0 - meanX) }
    residual = (rest.reduce(0) { $0 + $1 * $1 } / count).squareRoot()
  }
}
