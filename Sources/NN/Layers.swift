import Autograd
import Tensors

/// A convolution over `[N, C, H, W]`, weight `[O, C/groups, k, k]`.
public final class Conv2d {
  public let weight: Parameter
  public let bias: Parameter?
  public let geometry: Convolution2D

  /// - Parameter padding: nil keeps the size at stride 1: `dilation · (k - 1) / 2`.
  public init(
    _ scope: Scope, inputChannels: Int, outputChannels: Int, kernelSize: Int, stride: Int = 1, padding: Int? = nil,
    dilation: Int = 1, groups: Int = 1, bias: Bool, weight: Initializer, biasInitializer: Initializer = .constant(0)
  ) {
    geometry = Convolution2D(
      stride: stride, padding: padding ?? dilation * (kernelSize - 1) / 2, dilation: dilation, groups: groups)
    self.weight = scope.parameter(
      "weight", role: .weight, shape: [outputChannels, inputChannels / groups, kernelSize, kernelSize], weight)
    self.bias =
      bias ? scope.parameter("bias", role: .bias, shape: [outputChannels], biasInitializer) : nil
  }

  public func callAsFunction(_ x: Variable) -> Variable {
    convolution(x, weight: x.pass.use(weight), bias: bias.map(x.pass.use), geometry)
  }
}

/// y = x Wᵀ + b over `[N, I]`, weight `[O, I]`.
public final class Linear {
  public let weight: Parameter
  public let bias: Parameter?

  public init(
    _ scope: Scope, inputs: Int, outputs: Int, bias: Bool, weight: Initializer,
    biasInitializer: Initializer = .constant(0)
  ) {
    self.weight = scope.parameter("weight", role: .weight, shape: [outputs, inputs], weight)
    self.bias = bias ? scope.parameter("bias", role: .bias, shape: [outputs], biasInitializer) : nil
  }

  public func callAsFunction(_ x: Variable) -> Variable {
    linear(x, weight: x.pass.use(weight), bias: bias.map(x.pass.use))
  }
}

/// The transposed convolution of the mask predictor: kernel 2, stride 2, weight `[I, O, 2, 2]`.
public final class TransposedConv2x2 {
  public let weight: Parameter
  public let bias: Parameter

  public init(_ scope: Scope, inputChannels: Int, outputChannels: Int, weight: Initializer) {
    self.weight = scope.parameter("weight", role: .weight, shape: [inputChannels, outputChannels, 2, 2], weight)
    self.bias = scope.parameter("bias", role: .bias, shape: [outputChannels], .constant(0))
  }

  public func callAsFunction(_ x: Variable) -> Variable {
    transposedConvolution2x2(x, weight: x.pass.use(weight), bias: x.pass.use(bias))
  }
}

/// Modulated deformable convolution (v2), stride 1, one deformable group (method 3.7).
///
/// Offsets and mask come from an ordinary convolution of the input, which starts at zero: so the layer starts as half
/// a plain convolution.
public final class DeformableConv2d {
  public let weight: Parameter
  public let bias: Parameter
  private let offsets: Conv2d
  private let taps: Int
  private let operation: DeformableConvolution

  public init(_ scope: Scope, inputChannels: Int, outputChannels: Int, kernelSize: Int, weight: Initializer) {
    taps = kernelSize * kernelSize
    operation = DeformableConvolution(padding: kernelSize / 2)
    self.weight = scope.parameter(
      "weight", role: .weight, shape: [outputChannels, inputChannels, kernelSize, kernelSize], weight)
    self.bias = scope.parameter("bias", role: .bias, shape: [outputChannels], .constant(0))
    offsets = Conv2d(
      scope.sub("offset"), inputChannels: inputChannels, outputChannels: 3 * taps, kernelSize: kernelSize, bias: true,
      weight: .constant(0))
  }

  public func callAsFunction(_ x: Variable) -> Variable {
    let prediction = offsets(x)
    return deformableConvolution(
      x, offsets: channels(prediction, 0..<2 * taps), mask: sigmoid(channels(prediction, 2 * taps..<3 * taps)),
      weight: x.pass.use(weight), bias: x.pass.use(bias), operation)
  }
}
