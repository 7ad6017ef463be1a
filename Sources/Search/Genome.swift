import Determinism

/// One path through the supernet: the choice of every searched layer, in the order of `SearchSpace`.
public struct Genome: Hashable, Sendable, Comparable, CustomStringConvertible {
  public var choices: [Int]

  public init(_ choices: [Int]) { self.choices = choices }

  /// A uniform draw from the whole space.
  public static func random(in space: SearchSpace, using random: inout RandomStream) -> Genome {
    Genome(space.choicesPerLayer.map { random.below($0) })
  }

  public static func < (a: Genome, b: Genome) -> Bool { a.choices.lexicographicallyPrecedes(b.choices) }

  /// The choices as digits: `3202132...`.
  public var description: String { choices.map { String($0, radix: 36) }.joined() }

  /// Checks length and choices.
  /// - Throws: `SearchError` that names the layer.
  public func validate(in space: SearchSpace, place: String = "genome") throws {
    let limits = space.choicesPerLayer
    guard choices.count == limits.count else {
      throw SearchError(
        .wrongLength, at: place, "\(choices.count) choices; the search space has \(limits.count) layers")
    }
    for (layer, (choice, limit)) in zip(choices, limits).enumerated() where !(0..<limit).contains(choice) {
      throw SearchError(.unknownChoice, at: "\(place)[\(layer)]", "choice \(choice) is not in 0...\(limit - 1)")
    }
  }
}

extension Genome: Codable {
  public init(from decoder: any Decoder) throws { choices = try [Int](from: decoder) }
  public func encode(to encoder: any Encoder) throws { try choices.encode(to: encoder) }
}
