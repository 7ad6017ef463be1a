import Determinism

/// A model of the search space as published files write it: a list with one object `{backbone, head, inter}`.
public struct Architecture: Hashable, Sendable, Codable {
  /// Block of every backbone layer: 0, 1, 2 = shuffle 3×3, 5×5, 7×7; 3 = xception.
  public var backbone: [Int]
  /// Operator of every mask layer, then of every semantic layer: 0 DW3, 1 DW5, 2 DF3, 3 DF5, 4 AT3, 5 AT5.
  public var head: [Int]
  /// Reduction of every attention layer, things to stuff first: 0, 1, 2 = ratio 4, 8, 16 by name.
  public var inter: [Int]

  public init(backbone: [Int], head: [Int], inter: [Int]) {
    (self.backbone, self.head, self.inter) = (backbone, head, inter)
  }

  public init(_ genome: Genome, in space: SearchSpace = .published) {
    backbone = Array(genome.choices[space.range(of: .backbone)])
    head = Array(genome.choices[space.range(of: .head)])
    inter = Array(genome.choices[space.range(of: .attention)])
  }

  public var genome: Genome { Genome(backbone + head + inter) }

  /// Checks lengths and choices.
  /// - Throws: `SearchError` that names list and layer.
  public func validate(in space: SearchSpace = .published, place: String = "architecture") throws {
    for (name, choices, part) in [
      ("backbone", backbone, SearchSpace.Part.backbone), ("head", head, .head), ("inter", inter, .attention),
    ] {
      guard choices.count == space.layers(of: part) else {
        throw SearchError(
          .wrongLength, at: "\(place): \(name)",
          "\(choices.count) choices; the search space has \(space.layers(of: part)) such layers")
      }
      let limit = space.choices(of: part)
      if let layer = choices.firstIndex(where: { !(0..<limit).contains($0) }) {
        throw SearchError(
          .unknownChoice, at: "\(place): \(name)[\(layer)]", "choice \(choices[layer]) is not in 0...\(limit - 1)")
      }
    }
  }

  /// The choices of one component of a network: the only place that cuts the lists of an architecture.
  /// - Precondition: `validate` finds nothing for this part.
  public func choices(of component: SearchSpace.Component, in space: SearchSpace = .published) -> [Int] {
    let list =
      switch component.part {
      case .backbone: backbone
      case .head: head
      case .attention: inter
      }
    let range = space.range(in: component)
    precondition(
      range.upperBound <= list.count,
      "choices of \(component.rawValue): layers \(range) of a list of \(list.count) choices")
    return Array(list[range])
  }
}

extension Architecture {
  /// Reads the published form, or the object alone, and checks it.
  /// - Parameter place: names the text in errors.
  /// - Throws: `SearchError`
  public init(json: [UInt8], in space: SearchSpace = .published, place: String) throws {
    let value: CanonicalValue
    do {
      value = try CanonicalValue(json: json)
    } catch {
      throw SearchError(.malformed, at: place, "\(error)")
    }
    let list = value.arrayValue
    do {
      self = try (list?.count == 1 ? list![0] : value).decoded(as: Architecture.self)
    } catch {
      throw SearchError(
        .malformed, at: place,
        "expected a list with one object that holds lists of integers 'backbone', 'head' and 'inter'")
    }
    try validate(in: space, place: place)
  }

  /// The published form.
  public var json: [UInt8] {
    func list(_ values: [Int]) -> String { values.map(String.init).joined(separator: ", ") }
    let text = "[{\"backbone\": [\(list(backbone))], \"head\": [\(list(head))], \"inter\": [\(list(inter))]}]\n"
    return Array(text.utf8)
  }
}
