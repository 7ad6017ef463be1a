import Search

extension BackboneConfiguration {
  /// Whether the search has something to choose in such a backbone.
  public var isSearched: Bool { !searchedLayers.isEmpty }
}

extension NetworkConfiguration {
  /// The space that a supernet of this configuration spans.
  public var searchSpace: SearchSpace {
    let layers = searchedLayers
    func count(_ component: SearchSpace.Component) -> Int { layers.of(component).count }
    return SearchSpace(
      backboneLayers: count(.backbone), backboneChoices: backbone.operators.count, maskLayers: count(.mask),
      semanticLayers: count(.semantic), headChoices: headOperators.count, thingsToStuffLayers: count(.thingsToStuff),
      stuffToThingsLayers: count(.stuffToThings), attentionChoices: attention.ratios.count)
  }

  /// Whether the network has no searched part, so that all architectures are the same to it.
  public var isFixed: Bool { !backbone.isSearched && heads == .plain && !attention.enabled }

  /// Checks that the network can have an architecture. Lists of parts that it does not have are ignored: the backbone
  /// of a network with a ResNet, attention that is off.
  /// - Throws: `SearchError` that names list and layer.
  /// - Parameter place: names the architecture in errors.
  public func validate(_ architecture: Architecture, place: String = "architecture") throws {
    let space = searchSpace
    var held = architecture
    if space.layers(of: .backbone) == 0 { held.backbone = [] }
    if space.layers(of: .attention) == 0 { held.inter = [] }
    try held.validate(in: space, place: place)
  }
}
