import Determinism

extension EffectDistribution {
  private static let (strongLayers, strongShare, decay) = (5, 0.8, 100.0)

  /// The share of each layer; their sum is 1. A layer without a choice has none.
  /// - Parameter random: draws which layers are the strong ones.
  func shares(in space: SearchSpace, using random: inout RandomStream) -> [Double] {
    let choices = space.choicesPerLayer
    let searched = choices.indices.filter { choices[$0] > 1 }
    var weights = [Double](repeating: 0, count: choices.count)
    switch self {
    case .equal:
      for layer in searched { weights[layer] = 1 }
    case .decaying:
      let last = Double(max(1, searched.count - 1))
      for (i, layer) in searched.enumerated() {
        weights[layer] = PortableMath.pow(EffectDistribution.decay, -Double(i) / last)
      }
    case .few:
      let order = random.permutation(searched.count)
      let strong = min(EffectDistribution.strongLayers, searched.count)
      for (i, place) in order.enumerated() {
        weights[searched[place]] =
          i < strong
          ? EffectDistribution.strongShare / Double(strong)
          : (1 - EffectDistribution.strongShare) / Double(searched.count - strong)
      }
    case .parts:
      for part in SearchSpace.Part.allCases where space.choices(of: part) > 1 {
        for layer in space.range(of: part) { weights[layer] = 1 / Double(space.layers(of: part)) }
      }
    }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }
}
