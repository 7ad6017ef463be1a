import NN
import Search

extension BackboneConfiguration {
  /// Layers whose operator the search chooses; none of a backbone without choices.
  public var searchedLayers: [SearchedLayer] { family.definition.searchedLayers(self) }

  /// The choice blocks of stages of these sizes, in order.
  var choiceLayers: [SearchedLayer] {
    var inputs = stemChannels
    return zip(stageBlocks, stageChannels).enumerated().flatMap { stage, size in
      (0..<size.0).map { index in
        let (entering, outputs) = (inputs, size.1)
        inputs = outputs
        return SearchedLayer(
          .backbone(stage: stage, block: index), .backbone,
          operators.operators.map { op in
            .init(op.name) { before, after in
              op.multiplyAdds(
                inputs: entering, outputs: outputs, stride: index == 0 ? 2 : 1, before: before, after: after)
            }
          })
      }
    }
  }
}

extension NetworkConfiguration {
  /// All layers that a genome has a place for, in its order. Where heads are plain, all choices of a layer are the
  /// same; the layers of a semantic head that is not searched stand here and are not built.
  public var searchedLayers: [SearchedLayer] {
    backbone.searchedLayers
      + headLayers(.mask, LayerID.mask, count: maskHead.layers, channels: maskHead.channels)
      + headLayers(.semantic, LayerID.semantic, count: semantic.layers, channels: semantic.channels)
      + attentionLayers
  }

  private func headLayers(
    _ component: SearchSpace.Component, _ id: (Int) -> LayerID, count: Int, channels: Int
  ) -> [SearchedLayer] {
    (0..<count).map { i in
      let inputs = i == 0 ? pyramidChannels : channels
      return SearchedLayer(
        id(i), component,
        headOperators.operators.map { op in
          heads == .plain
            ? .init(HeadLayer.plainName) { $1 * HeadLayer.plainMultiplyAdds(inputs: inputs, outputs: channels) }
            : .init(op.name) { $1 * op.multiplyAdds(inputs: inputs, outputs: channels) }
        })
    }
  }

  private var attentionLayers: [SearchedLayer] {
    guard attention.enabled else { return [] }
    let levels = backbone.stageChannels.count
    func layers(
      _ component: SearchSpace.Component, _ id: (Int) -> LayerID, count: Int, inputs: Int, outputs: Int
    ) -> [SearchedLayer] {
      (0..<count).map { i in
        SearchedLayer(
          id(i), component,
          attention.ratios.map { ratio in
            .init("ratio \(ratio)") {
              $1 * AttentionLayer.multiplyAdds(inputs: inputs, outputs: outputs, ratio: ratio)
            }
          })
      }
    }
    return layers(
      .thingsToStuff, LayerID.thingsToStuff, count: levels, inputs: attentionSources * pyramidChannels,
      outputs: semantic.channels)
      + layers(
        .stuffToThings, LayerID.stuffToThings, count: levels + 1, inputs: levels * semantic.channels,
        outputs: pyramidChannels)
  }

  /// Levels that the attention from things to stuff reads (method 4.1).
  var attentionSources: Int { backbone.stageChannels.count + (attention.source == .allLevels ? 1 : 0) }
}
