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

  /// The components of a network whose layers are searched, in the order of the genome. Those of one part choose among
  /// the same operators.
  public enum Component: String, Hashable, Sendable, CaseIterable, Codable {
    case backbone, mask, semantic
    case thingsToStuff = "things-to-stuff"
    case stuffToThings = "stuff-to-things"

    public var part: Part {
      switch self {
      case .backbone: .backbone
      case .mask, .semantic: .head
      case .thingsToStuff, .stuffToThings: .attention
      }
    }
  }

  /// Searched layers of a component.
  public func layers(in component: Component) -> Int {
    switch component {
    case .backbone: backboneLayers
    case .mask: maskLayers
    case .semantic: semanticLayers
    case .thingsToStuff: thingsToStuffLayers
    case .stuffToThings: stuffToThingsLayers
    }
  }

  /// Searched layers of a part: 40, 7 and 9 in the published space.
  public func layers(of part: Part) -> Int {
    Component.allCases.reduce(0) { $1.part == part ? $0 + layers(in: $1) : $0 }
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
    let start = Part.allCases.prefix { $0 != part }.reduce(0) { $0 + layers(of: $1) }
    return start..<start + layers(of: part)
  }

  /// Places of a component among the choices of its part.
  public func range(in component: Component) -> Range<Int> {
    let earlier = Component.allCases.prefix { $0 != component }.filter { $0.part == component.part }
    let start = earlier.reduce(0) { $0 + layers(in: $1) }
    return start..<start + layers(in: component)
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
