import Autograd
import NN

/// The searched semantic branch (spec 3.6): one subnet shared by P2 to P5, brought to P2's size, re-weighted,
/// concatenated and classified. Or that of Panoptic-FPN, and other ways to join levels: see `SemanticConfiguration`.
final class SemanticBranch {
  /// `layers[i][level]`, or one for all levels.
  private let layers: [[HeadLayer]]
  /// Of Panoptic-FPN, for each level; empty in other branches.
  private let towers: [UpsamplingTower]
  private let merge: SemanticConfiguration.Merge
  private let classifier: Conv2d

  /// - Parameters:
  ///   - classes: stuff classes and one for all things.
  ///   - choices: operators of a fixed network; nil for a supernet.
  init(
    _ scope: Scope, inputs: Int, levels: Int, classes: Int, _ configuration: SemanticConfiguration, normGroups: Int,
    operators: OperatorSet<HeadOperator> = .published, choices: [Int]?,
    heads: NetworkConfiguration.Heads = .searched
  ) {
    merge = configuration.merge
    if configuration.branch == .searched {
      towers = []
      layers = (0..<configuration.layers).map { i in
        let place = scope.sub("layer\(i + 1)").layer(.semantic(i))
        let places =
          configuration.subnet == .shared ? [place] : (0..<levels).map { place.sub("level\($0 + 2)") }
        return places.map { place in
          HeadLayer(
            place, inputs: i == 0 ? inputs : configuration.channels, outputs: configuration.channels,
            normGroups: normGroups, operators: operators, choice: choices?[i], heads: heads)
        }
      }
    } else {
      layers = []
      towers = (0..<levels).map { level in
        UpsamplingTower(
          scope.sub("tower\(level + 2)"), inputs: inputs, outputs: configuration.channels, doublings: level,
          isDeformable: configuration.branch == .panopticFPNDeformable, normGroups: normGroups)
      }
    }
    let merged = (merge == .concatenate ? levels : 1) * configuration.channels
    classifier = Conv2d(
      scope.sub("classifier"), inputChannels: merged, outputChannels: classes, kernelSize: 1, bias: true,
      weight: .fanInUniform, biasInitializer: .uniform(bound: (1 / Double(merged)).squareRoot()))
  }

  /// S2 to S5: the subnet on every level, brought to P2's size.
  func features(_ levels: [Variable], path: [Int]) -> [Variable] {
    if !towers.isEmpty { return zip(towers, levels).map { $0($1) } }
    let (height, width) = (levels[0].shape[2], levels[0].shape[3])
    return levels.enumerated().map { index, level in
      let y = zip(layers, path).reduce(level) { x, layer in
        layer.0[layer.0.count == 1 ? 0 : index](x, choice: layer.1)
      }
      return index == 0 ? y : resizeBilinear(y, height: height, width: width, alignCorners: true)
    }
  }

  /// Class scores `[N, classes, H, W]` before softmax, at P2's size.
  func scores(_ features: [Variable]) -> Variable {
    let merged = merge == .concatenate ? concatenate(features) : features.dropFirst().reduce(features[0], add)
    return classifier(merged)
  }

  /// Scores at the size of the network's input: four times that of P2. In most networks nothing is larger, so they
  /// should live no longer than they are read.
  static func enlarged(_ scores: Variable) -> Variable {
    resizeBilinear(scores, height: scores.shape[2] * 4, width: scores.shape[3] * 4, alignCorners: true)
  }
}

/// One level's part of Panoptic-FPN's semantic branch (Kirillov et al. 2019, figure 3): 3×3 convolution, group norm,
/// ReLU and twofold upsampling by turns, until P2's size is reached; P2 itself passes one convolution.
private final class UpsamplingTower {
  private let stages: [(Variable) -> Variable]
  private let doublings: Int

  init(_ scope: Scope, inputs: Int, outputs: Int, doublings: Int, isDeformable: Bool, normGroups: Int) {
    self.doublings = doublings
    stages = (0..<max(1, doublings)).map { i in
      let place = scope.sub("conv\(i + 1)")
      let channels = i == 0 ? inputs : outputs
      guard isDeformable else {
        return HeadLayer.plain(place, inputs: channels, outputs: outputs, normGroups: normGroups)
      }
      let layer = HeadOperator.deformable3x3.makeLayer(place, inputs: channels, outputs: outputs)
      let norm = followingNorm(place.sub("norm"), channels: outputs, groups: normGroups, isRectified: true)
      return { norm(layer($0)) }
    }
  }

  func callAsFunction(_ level: Variable) -> Variable {
    stages.reduce(level) { x, stage in
      let y = stage(x)
      guard doublings > 0 else { return y }
      return resizeBilinear(y, height: 2 * y.shape[2], width: 2 * y.shape[3], alignCorners: true)
    }
  }
}
