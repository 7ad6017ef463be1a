import Determinism

/// A fitness whose truth is known: search policies are compared on it without a training (method 15).
///
/// The fitness of a model is the sum of an effect of each layer's choice and of an interaction of each two neighbouring
/// layers. Over uniformly random models it has mean 0 and standard deviation 1, and the interactions have exactly their
/// share of its variance. An evaluation adds noise.
public struct PlantedLandscape: Sendable {
  public let space: SearchSpace
  public let description: LandscapeDescription
  /// `effects[layer][choice]`; a layer's mean is 0.
  public let effects: [[Double]]
  /// `interactions[layer][choice][choice of the next layer]`, each row and column with mean 0; empty for a landscape
  /// without interactions.
  public let interactions: [[[Double]]]
  private let seeds: Seeds
  /// `keys[layer][choice]`: the sum over a model's choices tells models apart (Zobrist 1970).
  private let keys: [[UInt64]]
  private let firstNoise: RandomStream

  /// - Precondition: `description.objection(in:)` has none; epistasis is in [0, 1], noise finite and not negative.
  public init(_ description: LandscapeDescription, in space: SearchSpace, seeds: Seeds) {
    precondition(
      description.objection(in: space) == nil, "PlantedLandscape: \(description.objection(in: space) ?? "")")
    precondition(
      (0...1).contains(description.epistasis) && description.noise >= 0 && description.noise.isFinite,
      "PlantedLandscape: epistasis \(description.epistasis), noise \(description.noise)")
    (self.space, self.description, self.seeds) = (space, description, seeds)
    let choices = space.choicesPerLayer
    var random = seeds.stream("keys")
    keys = choices.map { count in (0..<count).map { _ in random.next() } }
    firstNoise = seeds.stream("noise/0")
    random = seeds.stream("layers")
    let shares = description.effects.shares(in: space, using: &random)
    effects = choices.indices.map { layer in
      var random = seeds.stream("effects/\(layer)")
      return PlantedLandscape.effects(
        choices[layer], variance: (1 - description.epistasis) * shares[layer], using: &random)
    }
    guard description.epistasis > 0 else {
      interactions = []
      return
    }
    // Two layers interact as strongly as they matter.
    let weights = zip(choices.indices, choices.indices.dropFirst()).map { a, b in
      choices[a] > 1 && choices[b] > 1 ? shares[a] + shares[b] : 0
    }
    let sum = weights.reduce(0, +)
    interactions = weights.enumerated().map { layer, weight in
      var random = seeds.stream("interactions/\(layer)")
      return PlantedLandscape.interactions(
        choices[layer], choices[layer + 1], variance: description.epistasis * weight / sum, using: &random)
    }
  }

  /// The fitness itself, which no policy sees.
  /// - Precondition: the genome is of the landscape's space.
  public func fitness(of genome: Genome) -> Double {
    let choices = genome.choices
    precondition(choices.count == effects.count, "fitness: \(choices.count) choices, \(effects.count) layers")
    var sum = 0.0
    for (layer, choice) in choices.enumerated() { sum += effects[layer][choice] }
    for layer in interactions.indices { sum += interactions[layer][choices[layer]][choices[layer + 1]] }
    return sum
  }

  /// What an evaluation finds: a function of seed, model and the number of the evaluation, whatever was evaluated before.
  /// - Parameter evaluation: tells evaluations of one model apart.
  public func evaluate(_ genome: Genome, evaluation: Int = 0) -> Double {
    guard description.noise > 0 else { return fitness(of: genome) }
    // A model has its own two draws of the evaluation's stream.
    let key = zip(keys, genome.choices).reduce(0) { $0 &+ $1.0[$1.1] }
    var random = (evaluation == 0 ? firstNoise : seeds.stream("noise/\(evaluation)")).from(key &<< 1)
    return fitness(of: genome) + description.noise * random.normal()
  }

  // MARK: Drawing

  /// Normal draws, moved and scaled to mean 0 and a population variance.
  private static func effects(_ count: Int, variance: Double, using random: inout RandomStream) -> [Double] {
    guard count > 1 else { return [Double](repeating: 0, count: count) }
    var draws = (0..<count).map { _ in random.normal() }
    centre(&draws)
    let factor = (variance / (draws.reduce(0) { $0 + $1 * $1 } / Double(count))).squareRoot()
    return draws.map { factor * $0 }
  }

  /// The same of a table, whose rows and columns get mean 0: neither layer has an effect of its own by it.
  private static func interactions(
    _ rows: Int, _ columns: Int, variance: Double, using random: inout RandomStream
  ) -> [[Double]] {
    guard rows > 1, columns > 1 else {
      return [[Double]](repeating: [Double](repeating: 0, count: columns), count: rows)
    }
    var draws = (0..<rows).map { _ in (0..<columns).map { _ in random.normal() } }
    for i in draws.indices { centre(&draws[i]) }
    for j in 0..<columns {
      let mean = draws.reduce(0) { $0 + $1[j] } / Double(rows)
      for i in draws.indices { draws[i][j] -= mean }
    }
    let squares = draws.joined().reduce(0) { $0 + $1 * $1 } / Double(rows * columns)
    let factor = (variance / squares).squareRoot()
    return draws.map { $0.map { factor * $0 } }
  }

  private static func centre(_ values: inout [Double]) {
    let mean = values.reduce(0, +) / Double(values.count)
    for i in values.indices { values[i] -= mean }
  }
}
