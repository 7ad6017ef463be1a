import Tensors

/// `a + b`, of equal shapes.
public func add(_ a: Variable, _ b: Variable) -> Variable {
  result(Elementwise.add(a.value, b.value), of: [a, b]) { [da = a.slot, db = b.slot] gradient in
    da.accumulate(gradient)
    db.accumulate(gradient)
  }
}

/// `scale · x + shift`; product and sum are each rounded.
public func affine(_ x: Variable, scale: Float, shift: Float) -> Variable {
  result(Elementwise.add(Elementwise.scale(x.value, by: scale), scalar: shift), of: [x]) { [dx = x.slot] gradient in
    dx.accumulate(Elementwise.scale(gradient, by: scale))
  }
}

/// `x > 0 ? x : +0`.
public func relu(_ x: Variable) -> Variable {
  let y = Elementwise.relu(x.value)
  return result(y, of: [x]) { [dx = x.slot] gradient in
    dx.accumulate(Elementwise.reluGradient(output: y, upstream: gradient))
  }
}

/// `1 / (1 + e^-x)`.
public func sigmoid(_ x: Variable) -> Variable {
  let y = Elementwise.sigmoid(x.value)
  return result(y, of: [x]) { [dx = x.slot] gradient in
    dx.accumulate(Elementwise.sigmoidGradient(output: y, upstream: gradient))
  }
}

/// Multiplies every plane of `[N, C, H, W]` by its factor of `[N, C]`.
public func scaleChannels(_ x: Variable, by factors: Variable) -> Variable {
  result(Elementwise.scaleChannels(x.value, by: factors.value), of: [x, factors]) {
    [dx = x.slot, dFactors = factors.slot, x = x.value, factors = factors.value] gradient in
    dx.accumulate(Elementwise.scaleChannels(gradient, by: factors))
    dFactors.accumulate(Elementwise.scaleChannelsGradient(x, upstream: gradient, factors: factors.shape))
  }
}

/// `Σ weights[i] · terms[i]`, of equal shapes: every product is rounded, and sums are in the order of the terms.
public func weightedSum(_ terms: [Variable], weights: [Float]) -> Variable {
  precondition(!terms.isEmpty && terms.count == weights.count, "weightedSum: \(terms.count) terms")
  var sum = Elementwise.scale(terms[0].value, by: weights[0])
  for (term, weight) in zip(terms, weights).dropFirst() {
    Elementwise.accumulate(term.value, times: weight, into: &sum)
  }
  return result(sum, of: terms) { [slots = terms.map(\.slot)] gradient in
    for (term, weight) in zip(slots, weights) { term.accumulate(Elementwise.scale(gradient, by: weight)) }
  }
}
