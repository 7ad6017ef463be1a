import Autograd
import NN

/// Inter-modular attention (spec 4): the semantic features re-weight the channels of the pyramid levels, and these those
/// of the semantic features.
final class InterModularAttention {
  private let configuration: AttentionConfiguration
  /// Things to stuff, one layer for each of S2...S5.
  private let toStuff: [AttentionLayer]
  /// Stuff to things, one layer for each of P2...P6.
  private let toThings: [AttentionLayer]

  /// - Parameters:
  ///   - root: of the network; parameters stand below `attention-to-stuff` and `attention-to-things`.
  ///   - choices: ratio index of every layer of a fixed network, things to stuff first; nil for a supernet.
  init(_ root: Scope, _ configuration: NetworkConfiguration, choices: [Int]?) {
    let attention = configuration.attention
    self.configuration = attention
    let levels = configuration.backbone.stageChannels.count
    func layers(_ name: String, inputs: Int, outputs: Int, first: Int, count: Int) -> [AttentionLayer] {
      (0..<count).map { i in
        AttentionLayer(
          root.sub(name).sub(i), inputs: inputs, outputs: outputs, ratios: attention.ratios,
          activations: attention.activations, choice: choices.map { $0[first + i] })
      }
    }
    // The sources are P3...P6 and S2...S5 (spec 4.1).
    let sources = attention.source == .allLevels ? levels + 1 : levels
    toStuff = layers(
      "attention-to-stuff", inputs: sources * configuration.pyramidChannels, outputs: configuration.semantic.channels,
      first: 0, count: levels)
    toThings = layers(
      "attention-to-things", inputs: levels * configuration.semantic.channels,
      outputs: configuration.pyramidChannels, first: levels, count: levels + 1)
  }

  /// Both modules re-weighted, each by the other as it was before.
  ///
  /// - Parameters:
  ///   - levels: P2...P6.
  ///   - semantic: S2...S5.
  ///   - path: ratio index of every layer, things to stuff first.
  func callAsFunction(
    _ levels: [Variable], semantic: [Variable], path: [Int]
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
      _ features: [Variable], _ layers: [AttentionLayer], _ z: Variable, _ path: ArraySlice<Int>
    ) -> [Variable] {
      zip(zip(features, layers), path).map { pair, choice in
        scaleChannels(pair.0, by: pair.1(z, choice: choice))
      }
    }
    let weightedLevels = weighted(levels, toThings, stuff, path[toStuff.count...])
    return (weightedLevels, weighted(semantic, toStuff, things, path[..<toStuff.count]))
  }
}
