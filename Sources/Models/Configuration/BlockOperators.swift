// The backbone operators of method 1.4. Middle layers of a branch have `middle` channels.

extension BackboneOperator {
  public static let shuffle3x3 = shuffle(kernelSize: 3, number: 0)
  public static let shuffle5x5 = shuffle(kernelSize: 5, number: 1)
  public static let shuffle7x7 = shuffle(kernelSize: 7, number: 2)

  /// Three depthwise convolutions, each with a 1×1 convolution behind it.
  public static let xception3x3 = BackboneOperator("xception 3x3", number: 3, shortcutKernelSize: 3) { shape in
    [
      .depthwise("spatial1", shape.inputs, kernelSize: 3, stride: shape.stride),
      .pointwise("point1", shape.inputs, shape.middle), .depthwise("spatial2", shape.middle, kernelSize: 3),
      .pointwise("point2", shape.middle, shape.middle), .depthwise("spatial3", shape.middle, kernelSize: 3),
      .pointwise("point3", shape.middle, shape.outputs),
    ]
  }

  /// The branch of ShuffleNetV2 (Ma et al. 2018), with a larger kernel where wanted.
  private static func shuffle(kernelSize k: Int, number: Int) -> BackboneOperator {
    BackboneOperator("shuffle \(k)x\(k)", number: number, shortcutKernelSize: k) { shape in
      [
        .pointwise("expand", shape.inputs, shape.middle),
        .depthwise("spatial", shape.middle, kernelSize: k, stride: shape.stride),
        .pointwise("project", shape.middle, shape.outputs),
      ]
    }
  }
}
