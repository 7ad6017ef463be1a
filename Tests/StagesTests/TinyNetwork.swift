import Models

/// The smallest network with all parts: what several suites train, load, change and refuse.
enum TinyNetwork {
  static var configuration: NetworkConfiguration {
    var network = NetworkConfiguration(
      backbone: BackboneConfiguration(
        stemChannels: 2, stageChannels: [4, 8, 12, 16], stageBlocks: [1, 1, 1, 1], classifierChannels: 8))
    network.pyramidChannels = 4
    network.normGroups = 2
    network.anchors.sizes = [8, 16, 32, 48, 64]
    network.boxHead.hidden = 8
    network.boxHead.normGroups = 2
    network.boxHead.batchPerImage = 8
    network.maskHead.pooledSize = 4
    network.maskHead.channels = 4
    network.maskHead.layers = 2
    network.semantic.channels = 4
    network.semantic.layers = 1
    network.levelRule.canonicalScale = 56
    return network
  }
}
