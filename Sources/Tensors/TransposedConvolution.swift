/// Transposed convolution with a 2×2 kernel and stride 2: every input position becomes a 2×2 block of the output.
///
/// Weights are `[inputChannels, outputChannels, 2, 2]`. It computes what the input gradient of an ordinary convolution
/// does, and its own gradients are that convolution's forward pass and weight gradient.
public enum TransposedConvolution2x2 {
  private static let convolution = Convolution2D(stride: 2)

  /// The transposed convolution of `x`, `[N, inputChannels, H, W]`.
  /// - Parameter bias: `[outputChannels]`.
  /// - Returns: `[N, outputChannels, 2H, 2W]`.
  public static func forward(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) -> Tensor {
    check(x.shape, weight.shape)
    let shape: Shape = [x.shape[0], weight.shape[1], 2 * x.shape[2], 2 * x.shape[3]]
    precondition(bias == nil || bias!.count == shape[1], "TransposedConvolution2x2: bias \(bias!.shape) for \(shape)")
    return convolution.gatherGradient(x, weight: weight, bias: bias, inputShape: shape)
  }

  /// The gradient of `x`.
  /// - Returns: `[N, inputChannels, H, W]`.
  public static func inputGradient(_ dy: Tensor, weight: Tensor) -> Tensor {
    convolution.forward(dy, weight: weight)
  }

  /// The gradient of the weights; chunks are over the positions of `x`.
  /// - Returns: `[inputChannels, outputChannels, 2, 2]`.
  public static func weightGradient(_ dy: Tensor, _ x: Tensor, weightShape: Shape) -> Tensor {
    check(x.shape, weightShape)
    return convolution.weightGradient(x, dy, weightShape: weightShape)
  }

  /// The gradient of the bias, `[outputChannels]`.
  public static func biasGradient(_ dy: Tensor) -> Tensor { convolution.biasGradient(dy) }

  private static func check(_ x: Shape, _ weight: Shape) {
    precondition(
      x.rank == 4 && weight.rank == 4 && x[1] == weight[0] && weight[2] == 2 && weight[3] == 2,
      "TransposedConvolution2x2: input \(x), weight \(weight)")
  }
}
