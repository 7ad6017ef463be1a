import Tensors

/// A convolution over `[N, C, H, W]` with weight `[O, C/groups, k, k]` and bias `[O]`.
public func convolution(
  _ x: Variable, weight: Variable, bias: Variable?, _ geometry: Convolution2D
) -> Variable {
  let y = geometry.forward(x.value, weight: weight.value, bias: bias?.value)
  return result(y, of: [x, weight] + (bias.map { [$0] } ?? [])) {
    [dx = x.slot, dw = weight.slot, db = bias?.slot, x = x.value, weight = weight.value] gradient in
    dx.accumulate(geometry.inputGradient(gradient, weight: weight, inputShape: x.shape))
    dw.accumulate(geometry.weightGradient(gradient, x, weightShape: weight.shape))
    db?.accumulate(geometry.biasGradient(gradient))
  }
}

/// y = x Wᵀ + b over `[N, I]`, weight `[O, I]`, bias `[O]`.
public func linear(_ x: Variable, weight: Variable, bias: Variable?) -> Variable {
  let y = LinearMap.forward(x.value, weight: weight.value, bias: bias?.value)
  return result(y, of: [x, weight] + (bias.map { [$0] } ?? [])) {
    [dx = x.slot, dw = weight.slot, db = bias?.slot, x = x.value, weight = weight.value] gradient in
    dx.accumulate(LinearMap.inputGradient(gradient, weight: weight))
    dw.accumulate(LinearMap.weightGradient(gradient, x))
    db?.accumulate(LinearMap.biasGradient(gradient))
  }
}

/// The transposed convolution with kernel 2 and stride 2: `[N, C, H, W]` to `[N, O, 2H, 2W]`; weight `[C, O, 2, 2]`, bias
/// `[O]`.
public func transposedConvolution2x2(_ x: Variable, weight: Variable, bias: Variable) -> Variable {
  let y = TransposedConvolution2x2.forward(x.value, weight: weight.value, bias: bias.value)
  return result(y, of: [x, weight, bias]) {
    [dx = x.slot, dw = weight.slot, db = bias.slot, x = x.value, weight = weight.value] gradient in
    dx.accumulate(TransposedConvolution2x2.inputGradient(gradient, weight: weight))
    dw.accumulate(TransposedConvolution2x2.weightGradient(gradient, x, weightShape: weight.shape))
    db.accumulate(TransposedConvolution2x2.biasGradient(gradient))
  }
}

/// Modulated deformable convolution (method 3.7).
///
/// - Parameters:
///   - x: `[N, C, H, W]`.
///   - offsets: `[N, 2k², H', W']`: (vertical, horizontal) for every tap in row-major order, in feature cells.
///   - mask: `[N, k², H', W']`, after the sigmoid.
public func deformableConvolution(
  _ x: Variable, offsets: Variable, mask: Variable, weight: Variable, bias: Variable,
  _ operation: DeformableConvolution
) -> Variable {
  let y = operation.forward(x.value, offset: offsets.value, mask: mask.value, weight: weight.value, bias: bias.value)
  return result(y, of: [x, offsets, mask, weight, bias]) {
    [
      dx = x.slot, dOffsets = offsets.slot, dMask = mask.slot, dw = weight.slot, db = bias.slot, x = x.value,
      offsets = offsets.value, mask = mask.value, weight = weight.value
    ] gradient in
    let gradients = operation.gradients(gradient, x, offset: offsets, mask: mask, weight: weight)
    dx.accumulate(gradients.x)
    dOffsets.accumulate(gradients.offset)
    if let gradient = gradients.mask { dMask.accumulate(gradient) }
    dw.accumulate(gradients.weight)
    db.accumulate(Convolution2D().biasGradient(gradient))
  }
}
