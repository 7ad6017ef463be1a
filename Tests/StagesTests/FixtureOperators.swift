import Models
import NN

// Operators that the program does not have, as somebody would add them: each one value, registered by
// `NetworkCatalog.published.adding`.

extension HeadOperator {
  /// A dense 1×1 convolution.
  static let pointwise = HeadOperator("PW 1x1", number: 6) { inputs, outputs in
    inputs * outputs
  } makeLayer: { scope, inputs, outputs in
    let conv = Conv2d(
      scope, inputChannels: inputs, outputChannels: outputs, kernelSize: 1, bias: true, weight: .xavierNormal)
    return { conv($0) }
  }
}

extension BackboneOperator {
  /// A dense 3×3 convolution.
  static let dense3x3 = BackboneOperator("dense 3x3", number: 4, shortcutKernelSize: 3) { shape in
    [.dense("spatial", shape.inputs, shape.outputs, kernelSize: 3, stride: shape.stride)]
  }
}
