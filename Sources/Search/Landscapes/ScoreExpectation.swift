import Determinism

/// The points that path-priority search is expected to give to every choice in one cycle, on a landscape without
/// interactions (method 15.3).
///
/// A model's points are the number of models that it beats, so the expectation is a sum of probabilities that one model
/// beats another. Given their places in a strictly fair block, the layers of two models are independent, and the
/// difference of their fitness has a known characteristic function; its distribution function follows by the inversion of
/// Gil-Pelaez, as a sum after Davies (1973).
public struct ScoreExpectation: Sendable {
  /// `points[layer][choice]` of one cycle.
  public let points: [[Double]]

  /// - Precondition: the landscape has no interactions, and its noise is at least 0.1.
  public init(of landscape: PlantedLandscape) {
    precondition(
      landscape.interactions.isEmpty && landscape.description.noise >= 0.1,
      "ScoreExpectation: interactions, or noise \(landscape.description.noise)")
    let effects = landscape.effects
    var points = effects.map { $0.map { _ in 0.0 } }
    for places in PlacePair.all(in: landscape.space) {
      let difference = Difference(of: effects, places: places, noise: landscape.description.noise)
      for (layer, values) in effects.enumerated() {
        let count = Double(values.count)
        let isDifferent = places.sharesPermutation(of: values.count)
        let weight = places.count / (isDifferent ? count * (count - 1) : count * count)
        let others = difference.withoutLayer(layer)
        for a in values.indices {
          // Equal choices: either model beats the other with the same probability.
          if !isDifferent { points[layer][a] += weight / 2 }
          for b in values.indices where b != a {
            points[layer][a] += weight * others.probability(above: values[b] - values[a])
          }
        }
      }
    }
    self.points = points
  }
}

/// Pairs of places in a strictly fair block that share the same permutations.
private struct PlacePair {
  /// Numbers of choices whose permutation has both places: the choices of such a layer differ.
  var shared: Set<Int>
  /// Ordered pairs.
  var count: Double

  func sharesPermutation(of choices: Int) -> Bool { shared.contains(choices) }

  static func all(in space: SearchSpace) -> [PlacePair] {
    let kinds = Set(space.choicesPerLayer).sorted()
    var found = [PlacePair]()
    for i in 0..<space.blockLength {
      for j in 0..<i {
        let shared = Set(kinds.filter { i / $0 == j / $0 })
        if let known = found.firstIndex(where: { $0.shared == shared }) {
          found[known].count += 2
        } else {
          found.append(PlacePair(shared: shared, count: 2))
        }
      }
    }
    return found
  }
}

/// The difference of the evaluations of two models: its characteristic function at the points of a sum.
private struct Difference {
  let step: Double
  /// Of the noise.
  private let noise: [Double]
  /// Of every layer: real, since either model may be the first.
  private let layers: [[Double]]
  /// Products of the layers before and after each.
  private let before: [[Double]]
  private let after: [[Double]]

  init(of effects: [[Double]], places: PlacePair, noise: Double) {
    // The sum repeats the distribution at distances of 2π / step: far beyond all values that differences have.
    let deviation = (2 * (1 + noise * noise)).squareRoot()
    let step = 2 * Double.pi / (16 * deviation + 2 * effects.joined().reduce(0) { max($0, $1.magnitude) })
    let nodes = Int((6.5 / (noise * step)).rounded(.up))
    let times = (0..<nodes).map { (Double($0) + 0.5) * step }
    self.step = step
    self.noise = times.map { PortableMath.exp(-noise * noise * $0 * $0) }
    layers = effects.map { values in
      let count = Double(values.count)
      return times.map { time in
        var (real, imaginary) = (0.0, 0.0)
        for value in values {
          let (sin, cos) = PortableMath.sincos(time * value)
          (real, imaginary) = (real + cos, imaginary + sin)
        }
        let square = (real * real + imaginary * imaginary) / (count * count)
        return places.sharesPermutation(of: values.count) ? (count * square - 1) / (count - 1) : square
      }
    }
    func products(_ layers: some Sequence<[Double]>) -> [[Double]] {
      var product = [Double](repeating: 1, count: nodes)
      return layers.map { layer in
        defer { for i in 0..<nodes { product[i] *= layer[i] } }
        return product
      }
    }
    before = products(layers)
    after = products(layers.reversed()).reversed()
  }

  func withoutLayer(_ layer: Int) -> SymmetricDistribution {
    SymmetricDistribution(
      step: step,
      transform: noise.indices.map { noise[$0] * before[layer][$0] * after[layer][$0] })
  }
}

/// A distribution that is symmetric about 0, by its characteristic function at (k + ½) · step.
private struct SymmetricDistribution {
  let step: Double
  let transform: [Double]

  func probability(above bound: Double) -> Double {
    var sum = 0.0
    for (k, value) in transform.enumerated() {
      let place = Double(k) + 0.5
      sum += PortableMath.sin(place * step * bound) * value / place
    }
    return 0.5 - sum / Double.pi
  }
}
