import Tensors

/// Batch normalisation of `[N, C, ...]` by the statistics of the batch; scale and shift are `[C]`.
///
/// - Parameter identity: the identity branch of the block that ends here; its channels come first in the output.
/// - Returns: the output, and the moments of the batch, which update the running statistics.
public func batchNormTraining(
  _ x: Variable, scale: Variable, shift: Variable, options: BatchNormalization.Options, relu: Bool,
  after identity: IdentityBranch? = nil
) -> (output: Variable, batch: BatchNormalization.BatchMoments) {
  let (y, statistics, batch) = BatchNormalization.train(
    x.value, weight: scale.value, bias: shift.value, options: options, relu: relu,
    afterIdentityOf: identity?.source.value)
  let output = result(y, of: [x, scale, shift]) {
    [
      joined = identity?.gradient, dx = x.slot, dScale = scale.slot, dShift = shift.slot, x = x.value,
      scale = scale.value, shift = shift.value
    ] gradient in
    joined?.keep(gradient)
    let gradients = BatchNormalization.trainGradient(
      x, upstream: gradient, weight: scale, bias: shift, statistics: statistics, relu: relu,
      options: options)
    dx.accumulate(gradients.input)
    dScale.accumulate(gradients.weight)
    dShift.accumulate(gradients.bias)
  }
  return (output, batch)
}

/// Batch normalisation of `[N, C, ...]` by running statistics `[C]`, which are constants; `identity` as in training.
public func batchNormEvaluation(
  _ x: Variable, scale: Variable, shift: Variable, mean: Tensor, variance: Tensor, epsilon: Double = 1e-5,
  relu: Bool, after identity: IdentityBranch? = nil
) -> Variable {
  let (y, statistics) = BatchNormalization.evaluate(
    x.value, weight: scale.value, bias: shift.value, runningMean: mean, runningVariance: variance, epsilon: epsilon,
    relu: relu, afterIdentityOf: identity?.source.value)
  return result(y, of: [x, scale, shift]) {
    [
      joined = identity?.gradient, dx = x.slot, dScale = scale.slot, dShift = shift.slot, x = x.value,
      scale = scale.value, shift = shift.value
    ] gradient in
    joined?.keep(gradient)
    let gradients = BatchNormalization.evaluateGradient(
      x, upstream: gradient, weight: scale, bias: shift, statistics: statistics, relu: relu)
    dx.accumulate(gradients.input)
    dScale.accumulate(gradients.weight)
    dShift.accumulate(gradients.bias)
  }
}

/// Group normalisation of `[N, C, ...]`; scale and shift are `[C]`.
public func groupNorm(_ x: Variable, groups: Int, scale: Variable, shift: Variable, relu: Bool) -> Variable {
  let (y, statistics) = GroupNormalization.forward(
    x.value, groups: groups, weight: scale.value, bias: shift.value, relu: relu)
  return result(y, of: [x, scale, shift]) {
    [dx = x.slot, dScale = scale.slot, dShift = shift.slot, x = x.value, scale = scale.value, shift = shift.value]
    gradient in
    let gradients = GroupNormalization.gradient(
      x, groups: groups, upstream: gradient, weight: scale, bias: shift, statistics: statistics,
      relu: relu)
    dx.accumulate(gradients.input)
    dScale.accumulate(gradients.weight)
    dShift.accumulate(gradients.bias)
  }
}
