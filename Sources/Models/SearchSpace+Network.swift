import Search

extension NetworkConfiguration {
  /// The space that a supernet of this configuration spans.
  public var searchSpace: SearchSpace {
    SearchSpace(
      backboneLayers: body.family == .resnet ? 0 : body.blockCount, backboneChoices: body.operators.count,
      maskLayers: maskHead.layers,
      semanticLayers: semantic.layers, headChoices: headOperators.count,
      thingsToStuffLayers: attention.enabled ? body.stageChannels.count : 0,
      stuffToThingsLayers: attention.enabled ? body.stageChannels.count + 1 : 0,
      attentionChoices: attention.ratios.count)
  }

  /// Whether the network has no searched part, so that all architectures are the same to it.
  public var isFixed: Bool { body.family == .resnet && heads == .plain && !attention.enabled }

  /// Checks that the network can have an architecture. Parts that it does not hold may say anything: the backbone of a
  /// ResNet, attention that is off.
  /// - Throws: `SearchError` that names list and layer.
  /// - Parameter place: names the architecture in errors.
  public func validate(_ architecture: Architecture, place: String = "architecture") throws {
    var looked = architecture
    if body.family == .resnet { looked.backbone = [] }
    if !attention.enabled { looked.inter = [] }
    try looked.validate(in: searchSpace, place: place)
  }
}
