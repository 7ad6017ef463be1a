import Autograd
import NN

/// The feature pyramid of method 3.1: P2 to P6 from C2 to C5, every layer with group norm and no activation. Without
/// norms it is the original one (Lin et al. 2017).
final class FeaturePyramid {
  /// Input pixels per cell of P2 to P6.
  static let strides = [4, 8, 16, 32, 64]

  private let laterals: [(Variable) -> Variable]
  private let outputs: [(Variable) -> Variable]
  private let path: NetworkConfiguration.PyramidPath

  /// - Parameter inputs: channels of C2 to C5.
  init(_ scope: Scope, inputs: [Int], channels: Int, normGroups: Int, path: NetworkConfiguration.PyramidPath) {
    self.path = path
    func layer(_ scope: Scope, _ i: Int, kernelSize: Int) -> (Variable) -> Variable {
      let conv = Conv2d(
        scope, inputChannels: i, outputChannels: channels, kernelSize: kernelSize, bias: normGroups == 0,
        weight: .kaimingUniform)
      let norm = normActivation(scope.sub("norm"), channels: channels, groups: normGroups, hasReLU: false)
      return { norm(conv($0)) }
    }
    laterals = inputs.enumerated().map { layer(scope.sub("lateral\($0 + 2)"), $1, kernelSize: 1) }
    outputs = inputs.indices.map { layer(scope.sub("output\($0 + 2)"), channels, kernelSize: 3) }
  }

  /// P2 to P6, finest first; P6 is every second cell of P5.
  func callAsFunction(_ features: [Variable]) -> [Variable] {
    var levels: [Variable] = []
    var above: Variable?
    for i in features.indices.reversed() {
      var inner = laterals[i](features[i])
      if path == .topDown, let above { inner = add(inner, upsampleNearest2x(above)) }
      above = inner
      levels.insert(outputs[i](inner), at: 0)
    }
    levels.append(subsample2x(levels[levels.count - 1]))
    return levels
  }
}
