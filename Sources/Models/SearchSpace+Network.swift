import Search

extension BackboneConfiguration {
  /// Layers whose operator the search chooses; 0 for a backbone without choices.
  public func searchedLayerCount(_ parts: NetworkParts = .standard) -> Int {
    parts.backbone(family).searchedLayerCount(self)
  }

  /// Whether the search has something to choose in such a backbone.
  public var isSearched: Bool { searchedLayerCount() > 0 }
}

extension NetworkConfiguration {
  /// The space that a supernet of this configuration spans.
  public var searchSpace: SearchSpace { searchSpace(.standard) }

  /// The same for a network with parts of its own.
  public func searchSpace(_ parts: NetworkParts) -> SearchSpace {
    SearchSpace(
      backboneLayers: backbone.searchedLayerCount(parts), backboneChoices: backbone.operators.count,
      maskLayers: maskHead.layers, semanticLayers: semantic.layers, headChoices: headOperators.count,
      thingsToStuffLayers: attention.enabled ? backbone.stageChannels.count : 0,
      stuffToThingsLayers: attention.enabled ? backbone.stageChannels.count + 1 : 0,
      attentionChoices: attention.ratios.count)
  }

  /// Whether the network has no searched part, so that all architectures are the same to it.
  public var isFixed: Bool { !backbone.isSearched && heads == .plain && !attention.enabled }

  /// Checks that the network can have an architecture. Lists of parts that it does not have are ignored: the backbone
  /// of a network with a ResNet, attention that is off.
  /// - Throws: `SearchError` that names list and layer.
  /// - Parameter place: names the architecture in errors.
  public func validate(_ architecture: Architecture, place: String = "architecture") throws {
    var looked = architecture
    if !backbone.isSearched { looked.backbone = [] }
    if !attention.enabled { looked.inter = [] }
    try looked.validate(in: searchSpace, place: place)
  }
}
