import CKernels

/// How the losses of single elements are reduced to one number.
public enum LossReduction: Sendable, Hashable {
  /// The sum divided by the number of elements (cross-entropy: by the total weight of the labels that are not ignored).
  case mean
  case sum
  /// The sum multiplied by a factor, for averages over another count.
  case scaled(Double)
}

/// A reduced loss and its gradient with respect to the logits or predictions, computed in one pass. The backward pass
/// multiplies the gradient by the loss's own upstream gradient.
public struct LossValue: Sendable {
  /// The loss, rounded once; of rank 0. On a device, it stays there until it is read.
  public var tensor: Tensor
  /// Of the shape of the logits or predictions.
  public var gradient: Tensor

  init(tensor: Tensor, gradient: Tensor) { (self.tensor, self.gradient) = (tensor, gradient) }

  init(value: Float, gradient: Tensor) { self.init(tensor: Tensor(scalar: value), gradient: gradient) }

  /// The loss.
  public var value: Float { tensor.item }
}

/// Binary cross-entropy of logits against targets in [0, 1].
public enum BinaryCrossEntropy {
  /// `w ((1 - t) x + q (log(1 + e^-|x|) + max(-x, 0)))` with `q = 1 + (p - 1) t`, in binary64, summed by numerics 5.
  ///
  /// - Parameters:
  ///   - weights: w, of the logits' shape; nil means ones.
  ///   - positiveWeights: p, one per index of the logits' last dimension, or of the logits' shape; nil means ones.
  /// - Returns: a loss of 0 for no elements, with every reduction.
  public static func evaluate(
    _ logits: Tensor, targets: Tensor, weights: Tensor? = nil, positiveWeights: Tensor? = nil,
    reduction: LossReduction = .mean
  ) -> LossValue {
    if let weights {
      precondition(weights.shape == logits.shape, "binary cross-entropy: weights \(weights.shape) of \(logits.shape)")
    }
    if let device = Device.current, device.takes(logits), logits.shape == targets.shape {
      return device.binaryCrossEntropy(
        logits, targets: targets, weights: weights, positive: positiveWeights,
        scale: ElementwiseLoss.scale(reduction, count: logits.count))
    }
    let positive = positiveWeights.map { ElementwiseLoss.broadcast($0, to: logits.shape) }
    let x = logits.pointer
    let t = targets.pointer
    let w = weights?.pointer
    let p = positive?.pointer
    let kernel = Backend.maps.binary_cross_entropy
    let result = ElementwiseLoss.run("binary cross-entropy", logits, targets, reduction) { at, n, scale, loss, out in
      kernel(n, x + at, t + at, w.map { $0 + at }, p.map { $0 + at }, scale, loss, out)
    }
    withExtendedLifetime((weights, positive)) {}
    return result
  }
}

/// The smooth L1 loss.
public enum SmoothL1 {
  /// With `d = prediction - target`: `d² / (2 beta)` where `|d| < beta`, else `|d| - beta / 2`, in binary64, summed by
  /// numerics 5. A `beta` of 0 gives the L1 loss.
  public static func evaluate(
    _ predictions: Tensor, targets: Tensor, beta: Double = 1, reduction: LossReduction = .mean
  ) -> LossValue {
    precondition(beta >= 0, "smooth L1: beta \(beta)")
    if let device = Device.current, device.takes(predictions), predictions.shape == targets.shape {
      return device.smoothL1(
        predictions, targets: targets, beta: beta,
        scale: ElementwiseLoss.scale(reduction, count: predictions.count))
    }
    let x = predictions.pointer
    let t = targets.pointer
    let kernel = Backend.maps.smooth_l1
    return ElementwiseLoss.run("smooth L1", predictions, targets, reduction) { at, n, scale, loss, out in
      kernel(n, x + at, t + at, beta, scale, loss, out)
    }
  }
}

/// Losses of one prediction and one target per element.
enum ElementwiseLoss {
  /// Calls `kernel(start, count, scale, losses, gradient)` block by block and folds the losses by numerics 5.
  static func run(
    _ name: String, _ x: Tensor, _ targets: Tensor, _ reduction: LossReduction,
    _ kernel: (Int, Int, Double, UnsafeMutablePointer<Double>, UnsafeMutablePointer<Float>) -> Void
  ) -> LossValue {
    precondition(x.shape == targets.shape, "\(name): \(x.shape) against \(targets.shape)")
    guard x.count > 0 else { return LossValue(value: 0, gradient: x) }
    let scale = scale(reduction, count: x.count)
    var gradient = Tensor(uninitialized: x.shape)
    let target = gradient.mutablePointer
    let sum = Backend.maps.sum_f64
    let blocks = (x.count + Loops.block - 1) / Loops.block
    let total = withUnsafeTemporaryAllocation(of: Double.self, capacity: blocks) { partial in
      let base = partial.baseAddress!
      Loops.planes(blocks, size: Loops.block, cost: 8) { block in
        let start = block * Loops.block
        let n = min(Loops.block, x.count - start)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: Loops.block) { losses in
          kernel(start, n, scale, losses.baseAddress!, target + start)
          base[block] = sum(n, losses.baseAddress!)
        }
      }
      return partial.reduce(0, +)
    }
    return LossValue(value: Float(total * scale), gradient: gradient)
  }

  static func scale(_ reduction: LossReduction, count: Int) -> Double {
    switch reduction {
    case .mean: 1 / Double(count)
    case .sum: 1
    case .scaled(let factor): factor
    }
  }

  /// `weights` repeated along the leading dimensions.
  static func broadcast(_ weights: Tensor, to shape: Shape) -> Tensor {
    if weights.shape == shape { return weights }
    precondition(
      weights.shape.rank == 1 && shape.rank > 0 && weights.shape[0] == shape[-1],
      "weights \(weights.shape) for \(shape)")
    let n = weights.count
    return Tensor(shape: shape) { weights[flat: $0 % n] }
  }
}
