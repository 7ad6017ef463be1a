import CKernels

extension DeviceProgram {
  static let depthwise = DeviceProgram(name: "depthwise")
}

// Depthwise convolution on the device; `Convolution2D` says what it computes.
extension Device {
  private func geometry(_ d: ck_depthwise) -> [DeviceArgument] {
    [
      d.channels, d.in_h, d.in_w, d.out_h, d.out_w, d.kernel_h, d.kernel_w, d.stride, d.padding, d.dilation,
    ].map { .int(Int($0)) }
  }

  func depthwiseForward(_ d: ck_depthwise, _ x: Tensor, weight: Tensor, bias: Tensor?, _ shape: Shape) -> Tensor {
    let y = tensor(shape)
    each(
      y.count, .depthwise, "depthwise",
      [.int(y.count)] + geometry(d) + [
        place(weight), place(x), place(bias ?? weight), .int(bias == nil ? 0 : 1), place(y),
      ])
    return y
  }

  func depthwiseInputGradient(_ d: ck_depthwise, _ dy: Tensor, weight: Tensor, inputShape: Shape) -> Tensor {
    let dx = tensor(inputShape)
    each(
      dx.count, .depthwise, "depthwise_input", [.int(dx.count)] + geometry(d) + [place(weight), place(dy), place(dx)])
    return dx
  }

  func depthwiseWeightGradient(_ d: ck_depthwise, _ dy: Tensor, _ x: Tensor, weightShape: Shape) -> Tensor {
    let positions = dy.shape[0] * dy.shape[2] * dy.shape[3]
    let chunks = (positions + WeightGradientPlan.chunkPositions - 1) / WeightGradientPlan.chunkPositions
    let n = chunks * weightShape.count
    let partial = DevicePlace(context.allocate(4 * n), of: Float.self)
    each(
      n, .depthwise, "depthwise_chunk",
      [.int(n)] + geometry(d) + [.int(positions), place(x), place(dy), .place(partial)])
    var dw = tensor(weightShape)
    fold(partial, parts: chunks, isFirst: true, isLast: true, into: &dw)
    return dw
  }
}
