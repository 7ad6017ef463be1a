import Tensors

/// Gradient checkpointing: runs a part of a network, frees its inner activations, and recomputes them in the backward
/// pass. It saves memory at the cost of one more forward pass.
///
/// The results are bit-identical to those without: both forward passes compute the same, contributions to the gradient
/// of `x` are added in the same order, and running statistics are updated once. No other part of the pass may use the
/// parameters of `body`.
///
/// - Parameter body: depends only on its argument and on parameters.
public func recomputed(_ x: Variable, _ body: @escaping (Variable) -> Variable) -> Variable {
  let pass = x.pass
  guard pass.mode == .training else { return body(x) }
  let forward = Pass(mode: .training, records: false)
  let y = body(forward.input(x.value)).value
  pass.update(forward.takeStatistics())
  let parameters = forward.trainables
  let leaves = parameters.map(pass.use)
  return result(y, of: [x] + leaves) { [dx = x.slot, sums = leaves.map(\.slot), x = x.value] gradient in
    let again = Pass(mode: .training)
    let input = dx.isWanted ? again.input(x) : again.constant(x)
    let output = body(input)
    // Operations that use `x` later have contributed already; this part's contributions follow theirs.
    if let collected = dx.take() { input.slot.accumulate(collected) }
    again.backward(from: output, gradient: gradient)
    if let collected = again.takeGradient(of: input) { dx.accumulate(collected) }
    for (parameter, sum) in zip(parameters, sums) {
      if let collected = again.takeGradient(of: parameter) { sum.accumulate(collected) }
    }
  }
}
