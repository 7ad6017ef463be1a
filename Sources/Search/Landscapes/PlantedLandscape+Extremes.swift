extension PlantedLandscape {
  /// A model and its fitness.
  public struct Extreme: Hashable, Sendable {
    public let genome: Genome
    public let fitness: Double
  }

  /// The best model of the whole space.
  public var optimum: Extreme { extreme(sign: 1) }
  /// The worst one.
  public var minimum: Extreme { extreme(sign: -1) }

  /// Only neighbours interact, so the best way to each choice of a layer follows from the best ways to the choices of the
  /// layer before: dynamic programming along the chain (Viterbi 1967). Ties go to the lower choice.
  private func extreme(sign: Double) -> Extreme {
    var best = effects[0].map { sign * $0 }
    var origins = [[Int]]()
    for layer in effects.indices.dropFirst() {
      var (next, from) = ([Double](), [Int]())
      for (choice, effect) in effects[layer].enumerated() {
        let ways = best.enumerated().map { origin, value in
          interactions.isEmpty ? value : value + sign * interactions[layer - 1][origin][choice]
        }
        let origin = ways.indices.reduce(0) { ways[$1] > ways[$0] ? $1 : $0 }
        next.append(ways[origin] + sign * effect)
        from.append(origin)
      }
      best = next
      origins.append(from)
    }
    var choices = [best.indices.reduce(0) { best[$1] > best[$0] ? $1 : $0 }]
    for from in origins.reversed() { choices.append(from[choices.last!]) }
    let genome = Genome(choices.reversed())
    return Extreme(genome: genome, fitness: fitness(of: genome))
  }
}
