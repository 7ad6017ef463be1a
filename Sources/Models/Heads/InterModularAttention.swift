import Autograd
import NN
import Search

/// Inter-modular attention (method 4): the semantic features re-weight the channels of the pyramid levels, and these
/// those of the semantic features.
final class InterModularAttention {
  private let configuration: AttentionConfiguration
  /// Things to stuff, one layer for each of S2...S5.
  private let stuffLayers: [AttentionLayer]
  /// Stuff to things, one layer for each of P2...P6.
  private let thingLayers: [AttentionLayer]

  /// - Parameters:
  ///   - root: of the network; parameters stand below `attention-to-stuff` and `attention-to-things`.
  ///   - choices: ratio index of every layer of a component of a fixed network; nil for a supernet.
  init(
    _ root: Scope, _ configuration: NetworkConfiguration, choices: (SearchSpace.Component) -> [Int]?
  ) {
    let attention = configuration.attention
    self.configuration = attention
    let levels = configuration.backbone.stageChannels.count
    func layers(
      _ name: String, _ id: (Int) -> LayerID, choices: [Int]?, inputs: Int, outputs: Int, count: Int
    ) -> [AttentionLayer] {
      (0..<count).map { i in
        AttentionLayer(
          root.sub(name).sub(i).layer(id(i)), inputs: inputs, outputs: outputs, ratios: attention.ratios,
          activations: attention.activations, choice: choices?[i])
      }
    }
    stuffLayers = layers(
      "attention-to-stuff", LayerID.thingsToStuff, choices: choices(.thingsToStuff),
      inputs: configuration.attentionSources * configuration.pyramidChannels,
      outputs: configuration.semantic.channels, count: levels)
    thingLayers = layers(
      "attention-to-things", LayerID.stuffToThings, choices: choices(.stuffToThings),
      inputs: levels * configuration.semantic.channels, outputs: configuration.pyramidChannels, count: levels + 1)
  }

  /// Both modules re-weighted, each by the other as it was before.
  ///
  /// - Parameters:
  ///   - levels: P2...P6.
  ///   - semantic: S2...S5.
  ///   - toStuff, toThings: ratio index of every layer of either direction.
  func callAsFunction(
    _ levels: [Variable], semantic: [Variable], toStuff: [Int], toThings: [Int]
  ) -> (levels: [Variable], semantic: [Variable]) {
    let (height, width) = (levels[0].shape[2], levels[0].shape[3])
    // The mean of a concatenation is the concatenation of the means.
    let things = concatenate(
      (configuration.source == .allLevels ? [globalAveragePool(levels[0])] : [])
        + levels.dropFirst().map {
          globalAveragePool(resizeBilinear($0, height: height, width: width, alignCorners: true))
        })
    let stuff = concatenate(semantic.map { globalAveragePool($0) })
    func weighted(
      _ features: [Variable], _ layers: [AttentionLayer], _ z: Variable, _ choices: [Int]
    ) -> [Variable] {
      zip(zip(features, layers), choices).map { pair, choice in
        scaleChannels(pair.0, by: pair.1(z, choice: choice))
      }
    }
    return (
      weighted(levels, thingLayers, stuff, toThings), weighted(semantic, stuffLayers, things, toStuff)
    )
  }
}
