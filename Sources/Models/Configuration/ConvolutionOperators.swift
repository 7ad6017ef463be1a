import NN

// The head operators of method 3.7. k: side of the kernel.

extension HeadOperator {
  public static let depthwise3x3 = depthwise(kernelSize: 3, number: 0)
  public static let depthwise5x5 = depthwise(kernelSize: 5, number: 1)
  public static let deformable3x3 = deformable(kernelSize: 3, number: 2)
  public static let deformable5x5 = deformable(kernelSize: 5, number: 3)
  public static let atrous3x3 = atrous(kernelSize: 3, number: 4)
  public static let atrous5x5 = atrous(kernelSize: 5, number: 5)

  /// A k×k convolution of each channel, then a 1×1 convolution.
  private static func depthwise(kernelSize k: Int, number: Int) -> HeadOperator {
    HeadOperator("DW \(k)x\(k)", number: number) { inputs, outputs in
      k * k * inputs + inputs * outputs
    } makeLayer: { scope, inputs, outputs in
      let spatial = Conv2d(
        scope.sub("spatial"), inputChannels: inputs, outputChannels: inputs, kernelSize: k, groups: inputs, bias: true,
        weight: .xavierNormal)
      let point = Conv2d(
        scope.sub("point"), inputChannels: inputs, outputChannels: outputs, kernelSize: 1, bias: true,
        weight: .xavierNormal)
      return { point(spatial($0)) }
    }
  }

  /// A modulated deformable k×k convolution; its offsets and masks come from an ordinary one.
  private static func deformable(kernelSize k: Int, number: Int) -> HeadOperator {
    HeadOperator("DF \(k)x\(k)", number: number) { inputs, outputs in
      k * k * inputs * outputs + k * k * inputs * 3 * k * k
    } makeLayer: { scope, inputs, outputs in
      let deformable = DeformableConv2d(
        scope, inputChannels: inputs, outputChannels: outputs, kernelSize: k, weight: .fanInUniform)
      return { deformable($0) }
    }
  }

  /// A k×k convolution whose taps are two pixels apart.
  private static func atrous(kernelSize k: Int, number: Int) -> HeadOperator {
    HeadOperator("AT \(k)x\(k)", number: number) { inputs, outputs in
      k * k * inputs * outputs
    } makeLayer: { scope, inputs, outputs in
      let conv = Conv2d(
        scope, inputChannels: inputs, outputChannels: outputs, kernelSize: k, dilation: 2, bias: true,
        weight: .xavierNormal)
      return { conv($0) }
    }
  }
}
