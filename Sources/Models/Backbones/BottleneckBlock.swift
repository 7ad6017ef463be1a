import Autograd
import NN

/// A block of ResNet-50 (He et al. 2016, figure 5 right): 1×1, 3×3 and 1×1 convolutions beside a shortcut.
final class BottleneckBlock {
  private let layers: [(Variable) -> Variable]
  private let shortcut: ((Variable) -> Variable)?
  let norms: [BatchNorm2d]

  /// - Parameter stridePlace: the convolution that has the stride.
  init(
    _ scope: Scope, inputs: Int, outputs: Int, stride: Int, stridePlace: BottleneckStride, settings: BlockSettings
  ) {
    var norms: [BatchNorm2d] = []
    func layer(
      _ name: String, _ i: Int, _ o: Int, kernelSize: Int, stride: Int, relu: Bool, scale: Float = 1
    ) -> (Variable) -> Variable {
      let conv = Conv2d(
        scope.sub(name), inputChannels: i, outputChannels: o, kernelSize: kernelSize, stride: stride,
        padding: kernelSize / 2, bias: false, weight: .kaimingNormalFanOut)
      let norm = BatchNorm2d(
        scope.sub(name).sub("norm"), channels: o, momentum: settings.momentum, relu: relu, scale: scale,
        normalizesByUnbiasedVariance: settings.normalizesByUnbiasedVariance)
      norms.append(norm)
      return { norm(conv($0)) }
    }
    let middle = outputs / 4
    let spatialStride = stridePlace == .in3x3 ? stride : 1
    layers = [
      layer("reduce", inputs, middle, kernelSize: 1, stride: stride / spatialStride, relu: true),
      layer("spatial", middle, middle, kernelSize: 3, stride: spatialStride, relu: true),
      layer("expand", middle, outputs, kernelSize: 1, stride: 1, relu: false, scale: settings.branchScale),
    ]
    shortcut =
      inputs == outputs && stride == 1
      ? nil : layer("shortcut", inputs, outputs, kernelSize: 1, stride: stride, relu: false)
    self.norms = norms
  }

  /// `[N, I, H, W]` to `[N, O, H / stride, W / stride]`.
  func callAsFunction(_ x: Variable) -> Variable {
    relu(add(layers.reduce(x) { $1($0) }, shortcut?(x) ?? x))
  }
}
