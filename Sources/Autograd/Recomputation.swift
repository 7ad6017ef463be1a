import Tensors

/// A part of a network whose inner results are freed and computed again in the backward pass: less memory, for the time
/// of one more forward pass.
///
/// The bits are the same as without: both forward passes do the same, contributions to the gradient of `x` add in the
/// same order, and statistics are gathered once. No other part of the pass may use the parameters of `body`.
///
/// - Parameter body: depends on nothing but its argument and parameters.
public func recomputed(_ x: Variable, _ body: @escaping (Variable) -> Variable) -> Variable {
  let pass = x.pass
  guard pass.mode == .training else { return body(x) }
  let forward = Pass(mode: .training, records: false)
  let y = body(forward.input(x.value)).value
  for update in forward.statistics { pass.updateStatistics(update) }
  let parameters = forward.trainables
  let leaves = parameters.map(pass.use)
  return result(y, of: [x] + leaves) { [dx = x.slot, sums = leaves.map(\.slot), x = x.value] gradient in
    let again = Pass(mode: .training)
    let input = dx.isWanted ? again.input(x) : again.constant(x)
    let output = body(input)
    // Later users of `x` have contributed already; this part's own contributions come after theirs.
    if let collected = dx.take() { input.slot.accumulate(collected) }
    again.backward(from: output, gradient: gradient)
    if let collected = again.takeGradient(of: input) { dx.accumulate(collected) }
    for (parameter, sum) in zip(parameters, sums) {
      if let collected = again.takeGradient(of: parameter) { sum.accumulate(collected) }
    }
  }
}
