/// What kind of landscape is planted (method 15.1).
public struct LandscapeDescription: Codable, Hashable, Sendable {
  public var effects = EffectDistribution.equal
  /// Share of the variance of random models that interactions of neighbouring layers have, 0 to 1.
  public var epistasis = 0.0
  /// Standard deviation of one evaluation; that of the fitness of random models is 1.
  public var noise = 1.0

  public init() {}

  public init(effects: EffectDistribution = .equal, epistasis: Double = 0, noise: Double = 1) {
    (self.effects, self.epistasis, self.noise) = (effects, epistasis, noise)
  }

  /// Why no such landscape can be planted in a space; nil where one can.
  public func objection(in space: SearchSpace) -> String? {
    let choices = space.choicesPerLayer
    guard choices.contains(where: { $0 > 1 }) else { return "no layer has a choice, so all models are worth the same" }
    guard epistasis == 0 || zip(choices, choices.dropFirst()).contains(where: { $0 > 1 && $1 > 1 }) else {
      return "no two neighbouring layers have choices, so nothing can interact"
    }
    return nil
  }
}

/// How the variance of the planted effects is shared among the layers.
public enum EffectDistribution: String, Codable, Hashable, Sendable, CaseIterable {
  /// All layers have the same share.
  case equal
  /// Shares fall geometrically in the order of the genome; the last layer has a hundredth of the first.
  case decaying
  /// Five layers, drawn from the seed, have four fifths together; the others share the rest.
  case few
  /// Backbone, heads and attention have a third each, whatever the number of their layers.
  case parts
}
