import Tensors

/// Softmax of class scores over dimension 1.
public func softmax(_ x: Variable) -> Variable {
  let y = Softmax.forward(x.value)
  return result(y, of: [x]) { [dx = x.slot] gradient in
    dx.accumulate(Softmax.gradient(output: y, upstream: gradient))
  }
}

/// Mean cross-entropy over the labels that are not ignored; 0 where all are.
///
/// - Parameters:
///   - scores: logits `[N, C]` or `[N, C, H, W]`.
///   - labels: one per row or pixel, row-major.
///   - ignored: rows or pixels with this label have no loss.
///   - smoothing: label smoothing; 0 for one-hot targets.
public func crossEntropy(
  _ scores: Variable, labels: [Int32], ignoring ignored: Int32, smoothing: Double = 0
) -> Variable {
  loss(
    CrossEntropy.evaluate(
      scores.value, labels: labels, options: .init(ignoredLabel: ignored, labelSmoothing: smoothing)),
    at: scores)
}

/// Mean binary cross-entropy of logits against targets in [0, 1]; 0 for no elements.
public func binaryCrossEntropy(_ logits: Variable, targets: Tensor) -> Variable {
  loss(BinaryCrossEntropy.evaluate(logits.value, targets: targets), at: logits)
}

/// The smooth L1 loss, summed over all elements and divided by `divisor`.
public func smoothL1(_ predictions: Variable, targets: Tensor, beta: Double, divisor: Double) -> Variable {
  loss(
    SmoothL1.evaluate(predictions.value, targets: targets, beta: beta, reduction: .scaled(1 / divisor)),
    at: predictions)
}

private func loss(_ computed: LossValue, at predictions: Variable) -> Variable {
  // Scaled in place, since it is used once: the gradient of semantic scores is among a network's largest tensors.
  var scaled = computed.gradient
  return result(computed.tensor, of: [predictions]) { [slot = predictions.slot] gradient in
    Elementwise.scale(&scaled, by: gradient.item)
    slot.accumulate(scaled)
  }
}
