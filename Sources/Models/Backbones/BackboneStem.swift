import Autograd
import NN

/// A convolution and batch norm with ReLU: how published stems start.
struct BackboneStem {
  private let convolution: Conv2d
  let norm: BatchNorm2d

  /// - Parameter bias: whether the convolution has a bias.
  init(
    _ scope: Scope, channels: Int, kernelSize: Int, bias: Bool, weight: Initializer, settings: BlockSettings
  ) {
    convolution = Conv2d(
      scope, inputChannels: 3, outputChannels: channels, kernelSize: kernelSize, stride: 2, padding: kernelSize / 2,
      bias: bias, weight: weight)
    norm = BatchNorm2d(
      scope.sub("norm"), channels: channels, momentum: settings.momentum, relu: true,
      shift: .constant(settings.reluShift), normalizesByUnbiasedVariance: settings.normalizesByUnbiasedVariance)
  }

  /// `[N, 3, H, W]` to `[N, channels, H / 2, W / 2]`.
  func callAsFunction(_ images: Variable) -> Variable { norm(convolution(images)) }
}
