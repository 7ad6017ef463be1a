import Autograd
import NN

/// The searched semantic branch (spec 3.6): one subnet shared by P2 to P5, brought to P2's size, re-weighted,
/// concatenated and classified.
final class SemanticBranch {
  private let layers: [HeadLayer]
  private let classifier: Conv2d

  /// - Parameters:
  ///   - classes: stuff classes and one for all things.
  ///   - choices: operators of a fixed network; nil for a supernet.
  init(
    _ scope: Scope, inputs: Int, levels: Int, classes: Int, _ configuration: SemanticConfiguration, normGroups: Int,
    choices: [Int]?
  ) {
    layers = (0..<configuration.layers).map { i in
      HeadLayer(
        scope.sub("layer\(i + 1)"), inputs: i == 0 ? inputs : configuration.channels, outputs: configuration.channels,
        normGroups: normGroups, choice: choices?[i])
    }
    let merged = levels * configuration.channels
    classifier = Conv2d(
      scope.sub("classifier"), inputChannels: merged, outputChannels: classes, kernelSize: 1, bias: true,
      weight: .fanInUniform, biasInitializer: .uniform(bound: (1 / Double(merged)).squareRoot()))
  }

  /// S2 to S5: the subnet on every level, brought to P2's size.
  func features(_ levels: [Variable], path: [Int]) -> [Variable] {
    let (height, width) = (levels[0].shape[2], levels[0].shape[3])
    return levels.enumerated().map { index, level in
      let y = zip(layers, path).reduce(level) { $1.0($0, choice: $1.1) }
      return index == 0 ? y : resizeBilinear(y, height: height, width: width, alignCorners: true)
    }
  }

  /// Class scores `[N, classes, 4H, 4W]` before softmax, at the size of the network's input.
  func scores(_ features: [Variable]) -> Variable {
    let y = classifier(concatenate(features))
    return resizeBilinear(y, height: y.shape[2] * 4, width: y.shape[3] * 4, alignCorners: true)
  }
}
