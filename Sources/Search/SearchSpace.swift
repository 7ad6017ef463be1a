/// How many choices every searched layer has.
///
/// The order of layers is fixed: backbone, mask head, semantic head, attention from things to stuff, attention from
/// stuff to things.
public struct SearchSpace: Hashable, Sendable, Codable {
  public var backboneLayers: Int
  public var backboneChoices: Int
  public var maskLayers: Int
  public var semanticLayers: Int
  public var headChoices: Int
  public var thingsToStuffLayers: Int
  public var stuffToThingsLayers: Int
  public var attentionChoices: Int

  /// The defaults are the published space: 4⁴⁰ · 6⁷ · 3⁹ models.
  public init(
    backboneLayers: Int = 40, backboneChoices: Int = 4, maskLayers: Int = 4, semanticLayers: Int = 3,
    headChoices: Int = 6, thingsToStuffLayers: Int = 4, stuffToThingsLayers: Int = 5, attentionChoices: Int = 3
  ) {
    precondition(
      [backboneLayers, maskLayers, semanticLayers, thingsToStuffLayers, stuffToThingsLayers].allSatisfy { $0 >= 0 }
        && [backboneChoices, headChoices, attentionChoices].allSatisfy { $0 > 0 },
      "SearchSpace: negative layers or no choices")
    self.backboneLayers = backboneLayers
    self.backboneChoices = backboneChoices
    self.maskLayers = maskLayers
    self.semanticLayers = semanticLayers
    self.headChoices = headChoices
    self.thingsToStuffLayers = thingsToStuffLayers
    self.stuffToThingsLayers = stuffToThingsLayers
    self.attentionChoices = attentionChoices
  }

  public static let published = SearchSpace()

  /// The parts of a genome, in order.
  public enum Part: String, Hashable, Sendable, CaseIterable, Codable {
    case backbone, head, attention
  }

  /// Searched layers of a part: 40, 7 and 9 in the published space.
  public func layers(of part: Part) -> Int {
    switch part {
    case .backbone: backboneLayers
    case .head: maskLayers + semanticLayers
    case .attention: thingsToStuffLayers + stuffToThingsLayers
    }
  }

  /// Choices of each layer of a part.
  public func choices(of part: Part) -> Int {
    switch part {
    case .backbone: backboneChoices
    case .head: headChoices
    case .attention: attentionChoices
    }
  }

  /// Places of a part in the genome.
  public func range(of part: Part) -> Range<Int> {
    let start =
      switch part {
      case .backbone: 0
      case .head: backboneLayers
      case .attention: backboneLayers + layers(of: .head)
      }
    return start..<start + layers(of: part)
  }

  /// Searched layers in all; 56 in the published space.
  public var layerCount: Int { Part.allCases.reduce(0) { $0 + layers(of: $1) } }

  /// Choices of each layer, in genome order.
  public var choicesPerLayer: [Int] {
    Part.allCases.flatMap { [Int](repeating: choices(of: $0), count: layers(of: $0)) }
  }

  /// Paths in a strictly fair block: the least common multiple of the numbers of choices; 12 in the published space.
  public var blockLength: Int { Set(choicesPerLayer).reduce(1, leastCommonMultiple) }

  /// Number of models, in decimal: it does not fit in any integer type.
  public var size: String {
    // Digits in base 10⁹, lowest first.
    var digits: [UInt64] = [1]
    for choices in choicesPerLayer {
      var carry: UInt64 = 0
      for i in digits.indices {
        let product = digits[i] * UInt64(choices) + carry
        digits[i] = product % 1_000_000_000
        carry = product / 1_000_000_000
      }
      if carry > 0 { digits.append(carry) }
    }
    return digits.dropLast().reversed().reduce(String(digits.last!)) { text, digit in
      let group = String(digit)
      return text + String(repeating: "0", count: 9 - group.count) + group
    }
  }
}

private func leastCommonMultiple(_ a: Int, _ b: Int) -> Int {
  var (x, y) = (a, b)
  while y != 0 { (x, y) = (y, x % y) }
  return a / x * b
}
