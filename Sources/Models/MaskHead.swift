import Autograd
import NN

/// The searched mask branch (spec 3.5): head layers on pooled regions, then one map a class at twice the size.
final class MaskHead {
  private let layers: [HeadLayer]
  private let upscale: TransposedConv2x2
  private let maps: Conv2d

  /// - Parameters:
  ///   - classes: thing classes and background.
  ///   - choices: operators of a fixed network; nil for a supernet.
  init(
    _ scope: Scope, inputs: Int, classes: Int, _ configuration: MaskHeadConfiguration, normGroups: Int,
    operators: OperatorSet<HeadOperator> = .published, choices: [Int]?, heads: NetworkConfiguration.Heads = .searched
  ) {
    layers = (0..<configuration.layers).map { i in
      HeadLayer(
        scope.sub("layer\(i + 1)").layer(.mask(i)), inputs: i == 0 ? inputs : configuration.channels,
        outputs: configuration.channels,
        normGroups: normGroups, operators: operators, choice: choices?[i], heads: heads)
    }
    upscale = TransposedConv2x2(
      scope.sub("upscale"), inputChannels: configuration.channels, outputChannels: configuration.channels,
      weight: .kaimingNormalFanOut)
    maps = Conv2d(
      scope.sub("maps"), inputChannels: configuration.channels, outputChannels: classes, kernelSize: 1, bias: true,
      weight: .kaimingNormalFanOut)
  }

  /// - Parameter regions: `[R, C, s, s]`.
  /// - Returns: `[R, classes, 2s, 2s]` before the sigmoid.
  func callAsFunction(_ regions: Variable, path: [Int]) -> Variable {
    let features = zip(layers, path).reduce(regions) { $1.0($0, choice: $1.1) }
    return maps(relu(upscale(features)))
  }
}
