import Models
import Search

/// What architectures of a network differ in, as factors that may explain their quality.
enum ArchitectureFactors {
  /// For each component and each operator, or word that several operators share such as `DF` or `3x3`: whether a layer has
  /// it, how many layers have it, and for such words which layer has it; then the operator of each layer.
  ///
  /// Where two factors say the same, the one that comes first says it more simply.
  static func all(of architectures: [Architecture], _ network: NetworkConfiguration) -> [Factor] {
    let (layers, space) = (network.searchedLayers, network.searchSpace)
    return SearchSpace.Component.allCases.flatMap { component -> [Factor] in
      let own = layers.of(component)
      guard let names = own.first?.choices.map(\.name), Set(names).count > 1 else { return [] }
      let choices = architectures.map { $0.choices(of: component, in: space) }
      let traits = words(of: names) + names.enumerated().map { Trait(name: $1, choices: [$0], isShared: false) }
      return presence(of: traits, component, choices, layers: own.count)
        + own.enumerated().map { i, layer in
          Factor(layer.id.description, levels: names, values: choices.map { $0[i] })
        }
    }
  }

  /// Something that one or several choices of a layer have.
  private struct Trait {
    let name: String
    let choices: Set<Int>
    /// Whether several have it.
    let isShared: Bool
  }

  /// Words that some but not all operators have in their names.
  private static func words(of names: [String]) -> [Trait] {
    var seen = Set<Set<Int>>()
    let split = names.map { $0.split(separator: " ").map(String.init) }
    return split.joined().reduce(into: [Trait]()) { traits, word in
      let having = Set(split.indices.filter { split[$0].contains(word) })
      guard having.count > 1, having.count < names.count, seen.insert(having).inserted else { return }
      traits.append(Trait(name: word, choices: having, isShared: true))
    }
  }

  private static func presence(
    of traits: [Trait], _ component: SearchSpace.Component, _ choices: [[Int]], layers: Int
  ) -> [Factor] {
    func numbers(_ trait: Trait) -> [Int] {
      choices.map { own in own.count { trait.choices.contains($0) } }
    }
    let name = component.rawValue
    let anywhere = traits.map { trait in
      Factor("\(name): a layer is \(trait.name)", levels: ["no", "yes"], values: numbers(trait).map { min($0, 1) })
    }
    if layers == 1 { return anywhere }
    let counted = traits.map { Factor("\(name): number of \($0.name) layers", numbers: numbers($0)) }
    let placed = traits.filter(\.isShared).flatMap { trait in
      (0..<layers).map { i in
        Factor(
          "\(name): layer \(i + 1) is \(trait.name)", levels: ["no", "yes"],
          values: choices.map { trait.choices.contains($0[i]) ? 1 : 0 })
      }
    }
    return anywhere + counted + placed
  }
}

/// In what an architecture differs from another one, as far as that is one thing.
enum ArchitectureDifference {
  /// Such as `semantic layer 1: DF 3x3`, or `semantic: DF 3x3 in every layer`; nil where they differ in several layers in
  /// another way, or not at all.
  static func text(_ architecture: Architecture, from base: Architecture, _ network: NetworkConfiguration) -> String? {
    let (layers, space) = (network.searchedLayers, network.searchSpace)
    var found: String?
    for component in SearchSpace.Component.allCases {
      let own = layers.of(component)
      guard !own.isEmpty else { continue }
      let (old, new) = (base.choices(of: component, in: space), architecture.choices(of: component, in: space))
      let changed = old.indices.filter { old[$0] != new[$0] }
      guard let first = changed.first else { continue }
      guard found == nil else { return nil }
      let name = own[first].choices[new[first]].name
      if Set(new).count == 1, own.count > 1 {
        found = "\(component.rawValue): \(name) in every layer"
      } else if changed.count == 1 {
        found = "\(own[first].id.description): \(name)"
      } else {
        return nil
      }
    }
    return found
  }
}
