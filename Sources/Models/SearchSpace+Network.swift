import Search

extension NetworkConfiguration {
  /// The space that a supernet of this configuration spans.
  public var searchSpace: SearchSpace {
    SearchSpace(
      backboneLayers: body.blockCount, backboneChoices: BodyOperator.allCases.count, maskLayers: maskHead.layers,
      semanticLayers: semantic.layers, headChoices: HeadOperator.allCases.count,
      thingsToStuffLayers: attention.enabled ? body.stageChannels.count : 0,
      stuffToThingsLayers: attention.enabled ? body.stageChannels.count + 1 : 0,
      attentionChoices: attention.ratios.count)
  }
}
