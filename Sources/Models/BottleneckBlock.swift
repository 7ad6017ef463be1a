import Autograd
import NN

/// A block of ResNet-50 (He et al. 2016, figure 5 right): 1×1, 3×3 and 1×1 convolutions beside a shortcut.
final class BottleneckBlock {
  private let layers: [(Variable) -> Variable]
  private let shortcut: ((Variable) -> Variable)?
  let norms: [BatchNorm2d]

  init(
    _ scope: Scope, inputs: Int, outputs: Int, stride: Int, halving: BodyConfiguration.Halving, style: BodyStyle
  ) {
    var norms: [BatchNorm2d] = []
    func layer(
      _ name: String, _ i: Int, _ o: Int, kernelSize: Int, stride: Int, relu: Bool, scale: Float = 1
    ) -> (Variable) -> Variable {
      let conv = Conv2d(
        scope.sub(name), inputChannels: i, outputChannels: o, kernelSize: kernelSize, stride: stride,
        padding: kernelSize / 2, bias: false, weight: .kaimingNormalFanOut)
      let norm = BatchNorm2d(
        scope.sub(name).sub("norm"), channels: o, momentum: style.momentum, relu: relu, scale: scale,
        normalizesByUnbiasedVariance: style.normalizesByUnbiasedVariance)
      norms.append(norm)
      return { norm(conv($0)) }
    }
    let middle = outputs / 4
    let spatialStride = halving == .spatial ? stride : 1
    layers = [
      layer("reduce", inputs, middle, kernelSize: 1, stride: stride / spatialStride, relu: true),
      layer("spatial", middle, middle, kernelSize: 3, stride: spatialStride, relu: true),
      layer("expand", middle, outputs, kernelSize: 1, stride: 1, relu: false, scale: style.branchScale),
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

  /// All blocks of a body. The first stage keeps the resolution, which a max pool before it has halved.
  static func stages(_ scope: Scope, _ configuration: BodyConfiguration, style: BodyStyle) -> [BottleneckBlock] {
    var inputs = configuration.stemChannels
    var blocks: [BottleneckBlock] = []
    for (stage, (count, outputs)) in zip(configuration.stageBlocks, configuration.stageChannels).enumerated() {
      for index in 0..<count {
        blocks.append(
          BottleneckBlock(
            scope.sub("stage\(stage + 1)").sub(index), inputs: inputs, outputs: outputs,
            stride: stage > 0 && index == 0 ? 2 : 1, halving: configuration.halving, style: style))
        inputs = outputs
      }
    }
    return blocks
  }
}
