import Tensors

/// The half of a block's input that goes around the block (spec 1.4). It is copied once, to the block's result, by the
/// normalisation that ends the block; its gradient is copied once, to that of the input.
public final class Bypass {
  let source: Variable
  let gradient = BypassGradient()

  fileprivate init(_ source: Variable) { self.source = source }
}

/// The gradient of a block's result, whose first channels are the bypass's, from the block's end to its beginning.
final class BypassGradient {
  private var value: Tensor?

  func keep(_ gradient: Tensor) { value = gradient }

  fileprivate func take() -> Tensor {
    guard let gradient = value else { preconditionFailure("shuffleSplit: no block ends behind this bypass") }
    value = nil
    return gradient
  }
}

/// The channel shuffle that opens a block and the cut that follows (spec 1.4): the half that bypasses the block, and
/// the half it works on. What becomes of the main half must end in one normalisation behind the bypass.
public func shuffleSplit(_ x: Variable) -> (bypass: Bypass, main: Variable) {
  let bypass = Bypass(x)
  let main = result(ChannelShuffle.main(x.value), of: [x]) { [dx = x.slot, joined = bypass.gradient] gradient in
    dx.accumulate(ChannelShuffle.inputGradient(joined: joined.take(), main: gradient))
  }
  return (bypass, main)
}
