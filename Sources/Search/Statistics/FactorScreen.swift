import Determinism

/// Which of many factors explain what models are worth (method 16.3): each alone, then the strongest ones together, one
/// after the other.
///
/// With many factors and few models, some factor always seems to explain something. So each has the probability that
/// the *best* of all factors would do as well if qualities were dealt out to models at random (Westfall and Young 1993,
/// single-step minP).
public struct FactorScreen: Sendable {
  /// What one factor explains beyond those taken before.
  public struct Effect: Hashable, Sendable {
    /// Its index.
    public let factor: Int
    /// Degrees of freedom that it takes.
    public let degrees: Int
    /// Share of the variance of qualities, 0 to 1.
    public let share: Double
    /// The same without what as many degrees of freedom explain by chance; may be negative.
    public let adjusted: Double
    /// Of the F test of this factor alone.
    public let pValue: Double
    /// That any factor does as well by chance.
    public let pValueAmongAll: Double
  }

  /// A factor that was taken into a model of several.
  public struct Step: Hashable, Sendable {
    public let effect: Effect
    /// Share of the variance that all factors taken so far explain together, as it is and adjusted.
    public let together: Double
    public let togetherAdjusted: Double
  }

  /// Of each factor alone, the one with the least p-value first; among equals the earlier factor. Factors that do not
  /// vary, or leave no degree of freedom, are left out.
  public let effects: [Effect]
  /// The strongest factors one after the other, as long as chance would hardly do as well.
  public let steps: [Step]

  private static let draws = 999

  /// - Parameters:
  ///   - qualities: one of each model.
  ///   - most: the number of factors that are taken together at most.
  ///   - risk: the greatest `pValueAmongAll` with which one is.
  /// - Precondition: each factor has a value of each model.
  public init(_ qualities: [Double], factors: [Factor], seeds: Seeds, most: Int = 4, risk: Double = 0.05) {
    precondition(factors.allSatisfy { $0.values.count == qualities.count }, "FactorScreen: values of other models")
    var basis = LinearBasis(count: qualities.count)
    basis.add([Double](repeating: 1, count: qualities.count))
    let rest = basis.residual(of: qualities)
    // Of equal qualities only rounding errors are left.
    let total = rest.squares > 1e-24 * qualities.reduce(0) { $0 + $1 * $1 } ? rest.squares : 0
    var (effects, steps, together) = ([Effect](), [Step](), 0.0)
    // What is left of a perfect fit are rounding errors.
    while total > 0, steps.count < most, basis.residual(of: qualities).squares > 1e-12 * total {
      let found = FactorScreen.effects(
        qualities, factors, beyond: basis, total: total, seeds: seeds, step: steps.count
      ).filter { effect in !steps.contains { $0.effect.factor == effect.factor } }
      if steps.isEmpty { effects = found }
      guard let best = found.first, best.pValueAmongAll <= risk else { break }
      for column in factors[best.factor].columns { basis.add(column) }
      together += best.share
      steps.append(
        Step(
          effect: best, together: together,
          togetherAdjusted: FactorScreen.adjusted(
            together, degrees: basis.vectors.count - 1, of: qualities.count - 1)))
    }
    (self.effects, self.steps) = (effects, steps)
  }

  private static func adjusted(_ share: Double, degrees: Int, of all: Int) -> Double {
    all > degrees ? 1 - (1 - share) * Double(all) / Double(all - degrees) : share
  }

  /// A factor's part of the space of models, beyond a basis.
  private struct Direction {
    let factor: Int
    let vectors: [[Double]]
  }

  private static func effects(
    _ qualities: [Double], _ factors: [Factor], beyond basis: LinearBasis, total: Double, seeds: Seeds, step: Int
  ) -> [Effect] {
    let free = qualities.count - basis.vectors.count
    let directions = factors.enumerated().compactMap { i, factor -> Direction? in
      var larger = basis
      for column in factor.columns { larger.add(column) }
      let own = Array(larger.vectors.dropFirst(basis.vectors.count))
      return own.isEmpty || own.count >= free ? nil : Direction(factor: i, vectors: own)
    }
    let rest = basis.residual(of: qualities)
    let left = rest.squares
    let found = directions.map { direction -> (explained: Double, p: Double) in
      let explained = min(left, LinearBasis.explained(rest, by: direction.vectors))
      return (explained, tail(explained / left, degrees: direction.vectors.count, free: free))
    }
    let least = leastTails(rest, directions, basis, free, seeds, step)
    let effects = zip(directions, found).map { direction, found in
      let share = found.explained / total
      // Equal factors, summed in another order, differ in their last bits.
      let asGood = least.count { $0 <= found.p * (1 + 1e-9) }
      return Effect(
        factor: direction.factor, degrees: direction.vectors.count, share: share,
        adjusted: adjusted(share, degrees: direction.vectors.count, of: qualities.count - 1), pValue: found.p,
        pValueAmongAll: Double(asGood + 1) / Double(draws + 1))
    }
    return ordered(effects)
  }

  /// By p-value, where those that differ by no more than rounding keep their order.
  private static func ordered(_ effects: [Effect]) -> [Effect] {
    var sorted = effects.sorted { ($0.pValue, $0.factor) < ($1.pValue, $1.factor) }
    var start = 0
    for i in sorted.indices where i + 1 == sorted.count || sorted[i + 1].pValue > sorted[start].pValue * (1 + 1e-9) {
      sorted[start...i].sort { $0.factor < $1.factor }
      start = i + 1
    }
    return sorted
  }

  /// Of each random order of what the basis leaves (Freedman and Lane 1983), the least p-value of all factors.
  private static func leastTails(
    _ rest: [Double], _ directions: [Direction], _ basis: LinearBasis, _ free: Int, _ seeds: Seeds, _ step: Int
  ) -> [Double] {
    (0..<draws).map { draw in
      var random = seeds.stream("factors/\(step)/\(draw)")
      var shuffled = rest
      random.shuffle(&shuffled)
      if basis.vectors.count > 1 { shuffled = basis.residual(of: shuffled) }
      let left = shuffled.squares
      guard left > 0 else { return 1 }
      // Of factors with equally many degrees of freedom, the one that explains most has the least p-value.
      var most = [Int: Double]()
      for direction in directions {
        let share = min(1, LinearBasis.explained(shuffled, by: direction.vectors) / left)
        most[direction.vectors.count] = max(share, most[direction.vectors.count] ?? 0)
      }
      return most.map { tail($0.value, degrees: $0.key, free: free) }.min() ?? 1
    }
  }

  /// Of the F test: the probability that so many degrees of freedom explain such a share of what is left.
  private static func tail(_ share: Double, degrees: Int, free: Int) -> Double {
    let (a, b) = (Double(degrees), Double(free - degrees))
    return share >= 1 ? 0 : FDistribution(a, b).upperTail(share / a / ((1 - share) / b))
  }
}

/// Orthonormal vectors, made of columns one after the other.
struct LinearBasis {
  private(set) var vectors: [[Double]] = []
  let count: Int

  init(count: Int) { self.count = count }

  /// Adds what is new in a column; nothing where it is a sum of those before, as far as rounding lets tell.
  mutating func add(_ column: [Double]) {
    precondition(column.count == count, "LinearBasis: \(column.count) values instead of \(count)")
    let length = column.squares
    // The second time removes what rounding left.
    let new = residual(of: residual(of: column))
    guard new.squares > 1e-20 * length, new.squares > 0 else { return }
    let norm = new.squares.squareRoot()
    vectors.append(new.map { $0 / norm })
  }

  func residual(of values: [Double]) -> [Double] {
    vectors.reduce(into: values) { rest, vector in
      let part = LinearBasis.product(rest, vector)
      for i in rest.indices { rest[i] -= part * vector[i] }
    }
  }

  /// Sum of squares of the parts along some vectors.
  static func explained(_ values: [Double], by vectors: [[Double]]) -> Double {
    vectors.reduce(0) { sum, vector in
      let part = product(values, vector)
      return sum + part * part
    }
  }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for i in a.indices { sum += a[i] * b[i] }
    return sum
  }
}

extension [Double] {
  /// Sum of squares.
  var squares: Double { reduce(0) { $0 + $1 * $1 } }
}
