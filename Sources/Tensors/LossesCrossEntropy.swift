import CKernels

// N images, C classes; a position is one row of [N, C] or one pixel of [N, C, H, W].

/// Cross-entropy of logits against class labels.
///
/// With smoothing e, target t, class weights w of sum W, p = softmax: the loss of a position is
/// `(1 - e) w_t (-log p_t) + (e / C) Σ_c w_c (-log p_c)`, in binary64. Sums over classes are ascending chains, sums over
/// the positions of an image follow numerics 5 (`[N, C]` counts as one image of N positions), images are added in
/// order.
public enum CrossEntropy {
  /// Ignored labels and label smoothing.
  public struct Options: Sendable, Hashable {
    /// Positions with this label contribute neither loss nor gradient.
    public var ignoredLabel: Int32
    /// The probability mass spread over all classes, e; 0 for one-hot targets.
    public var labelSmoothing: Double

    public init(ignoredLabel: Int32 = -100, labelSmoothing: Double = 0) {
      self.ignoredLabel = ignoredLabel
      self.labelSmoothing = labelSmoothing
    }
  }

  /// - Parameters:
  ///   - logits: `[N, C]` or `[N, C, H, W]`.
  ///   - labels: one per position, row-major.
  ///   - weights: `[C]`.
  /// - Returns: the reduced loss and its gradient. `.mean` divides by the total weight of the labels that are not
  ///   ignored; where all are, the loss is 0.
  /// - Precondition: every label is a class or `ignoredLabel`.
  public static func evaluate(
    _ logits: Tensor, labels: [Int32], weights: Tensor? = nil, options: Options = Options(),
    reduction: LossReduction = .mean
  ) -> LossValue {
    let scale: Double
    switch reduction {
    case .sum: scale = 1
    case .scaled(let factor): scale = factor
    case .mean:
      var total = 0.0
      for label in labels where label != options.ignoredLabel {
        total += weights.map { Double($0[flat: Int(label)]) } ?? 1
      }
      scale = total > 0 ? 1 / total : 0
    }
    let (layout, weightSum) = checked(logits, labels, weights, options)
    let images = logits.shape.rank == 2 ? 1 : logits.shape[0]
    if let device = Device.current, device.takes(logits) {
      return device.crossEntropy(
        logits, layout, labels: labels, weights: weights, weightSum: weightSum, options: options, scale: scale,
        images: images)
    }
    let (losses, gradient) = run(logits, layout, labels, weights, weightSum, options, scale: scale)
    let positions = images == 0 ? 0 : labels.count / images
    let sum = Backend.maps.sum_f64
    var total = 0.0
    losses.withUnsafeBufferPointer { losses in
      if let base = losses.baseAddress {
        for image in 0..<images { total += sum(positions, base + image * positions) }
      }
    }
    return LossValue(value: Float(total * scale), gradient: gradient)
  }

  /// How the positions lie in memory, and the sum of the weights.
  private static func checked(
    _ logits: Tensor, _ labels: [Int32], _ weights: Tensor?, _ options: Options
  ) -> (ChannelLayout, weightSum: Double) {
    precondition(
      logits.shape.rank == 2 || logits.shape.rank == 4, "cross-entropy: \(logits.shape) is not [N, C] or [N, C, H, W]")
    let layout = ChannelLayout(logits.shape, dimension: 1)
    precondition(
      labels.count == logits.count / layout.channels, "cross-entropy: \(labels.count) labels for \(logits.shape)")
    for (i, label) in labels.enumerated() where label != options.ignoredLabel {
      precondition(label >= 0 && label < layout.channels, "cross-entropy: label \(label) at \(i) of \(logits.shape)")
    }
    var weightSum = Double(layout.channels)
    if let weights {
      precondition(weights.shape == [layout.channels], "cross-entropy: weights \(weights.shape) of \(logits.shape)")
      weightSum = weights.array.reduce(0) { $0 + Double($1) }
    }
    return (layout, weightSum)
  }

  private static func run(
    _ logits: Tensor, _ layout: ChannelLayout, _ labels: [Int32], _ weights: Tensor?, _ weightSum: Double,
    _ options: Options, scale: Double
  ) -> (losses: [Double], gradient: Tensor) {
    var gradient = Tensor(uninitialized: logits.shape)
    let x = logits.pointer
    let target = gradient.mutablePointer
    let w = weights?.pointer
    let kernel = Backend.maps.cross_entropy
    let losses = [Double](unsafeUninitializedCapacity: labels.count) { losses, initialized in
      labels.withUnsafeBufferPointer { labels in
        if let base = losses.baseAddress, let labels = labels.baseAddress {
          layout.forEachPiece { at, position, count in
            kernel(
              layout.channels, layout.channelStride, count, layout.positionStride, x + at, labels + position,
              options.ignoredLabel, options.labelSmoothing, w?.base, weightSum, scale, base + position, target + at)
          }
        }
      }
      initialized = labels.count
    }
    withExtendedLifetime(weights) {}
    return (losses, gradient)
  }
}
