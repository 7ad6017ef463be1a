extension DeviceProgram {
  static let losses = DeviceProgram(name: "losses")
}

// Softmax and losses on the device; `Softmax`, `CrossEntropy` and others say what they compute.
extension Device {
  private func layout(_ layout: ChannelLayout) -> [DeviceArgument] {
    [
      .int(layout.runs * layout.positions), .int(layout.channels), .int(layout.channelStride), .int(layout.positions),
      .int(layout.runStride), .int(layout.positionStride),
    ]
  }

  func softmax(_ x: Tensor, _ layout: ChannelLayout, logarithm: Bool) -> Tensor {
    let out = tensor(x.shape)
    each(
      layout.runs * layout.positions, .losses, "softmax",
      self.layout(layout) + [.int(logarithm ? 1 : 0), place(x), place(out)])
    return out
  }

  func softmaxGradient(_ y: Tensor, _ dy: Tensor, _ layout: ChannelLayout, logarithm: Bool) -> Tensor {
    let dx = tensor(y.shape)
    each(
      layout.runs * layout.positions, .losses, "softmax_gradient",
      self.layout(layout) + [.int(logarithm ? 1 : 0), place(y), place(dy), place(dx)])
    return dx
  }

  /// - Returns: the sum of the losses times `scale`.
  func crossEntropy(
    _ logits: Tensor, _ layout: ChannelLayout, labels: [Int32], weights: Tensor?, weightSum: Double,
    options: CrossEntropy.Options, scale: Double, images: Int
  ) -> LossValue {
    let gradient = tensor(logits.shape)
    let losses = doubles(labels.count)
    each(
      labels.count, .losses, "cross_entropy",
      self.layout(layout) + [
        .int(Int(options.ignoredLabel)), .double(options.labelSmoothing), .double(weightSum), .double(scale),
        place(logits), .place(context.upload(labels)), place(weights ?? logits), .int(weights == nil ? 0 : 1),
        .place(losses), place(gradient),
      ])
    return loss(losses, size: labels.count / images, rows: images, scale: scale, gradient)
  }

  /// - Parameter positive: one weight for each of as many elements in turn.
  func binaryCrossEntropy(
    _ logits: Tensor, targets: Tensor, weights: Tensor?, positive: Tensor?, scale: Double
  ) -> LossValue {
    let gradient = tensor(logits.shape)
    let losses = doubles(logits.count)
    each(
      logits.count, .losses, "binary_cross_entropy",
      [
        .int(logits.count), .double(scale), place(logits), place(targets), place(weights ?? logits),
        .int(weights == nil ? 0 : 1), place(positive ?? logits), .int(positive?.count ?? 0), .place(losses),
        place(gradient),
      ])
    return loss(losses, size: logits.count, rows: 1, scale: scale, gradient)
  }

  func smoothL1(_ x: Tensor, targets: Tensor, beta: Double, scale: Double) -> LossValue {
    let gradient = tensor(x.shape)
    let losses = doubles(x.count)
    each(
      x.count, .losses, "smooth_l1",
      [.int(x.count), .double(beta), .double(scale), place(x), place(targets), .place(losses), place(gradient)])
    return loss(losses, size: x.count, rows: 1, scale: scale, gradient)
  }

  private func loss(
    _ losses: DevicePlace, size: Int, rows: Int, scale: Double, _ gradient: Tensor
  ) -> LossValue {
    let totals = sums(.doubles(losses), size: size, count: 1, rows: rows)
    let value = tensor([])
    context.launch(
      .reductions, "scale_total", groups: (1, 1, 1), items: 1, [.double(scale), .place(totals), place(value)])
    return LossValue(tensor: value, gradient: gradient)
  }
}
