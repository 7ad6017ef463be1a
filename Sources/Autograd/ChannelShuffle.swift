import Tensors

/// The half of a block's input that goes around the block (spec 1.4). It is copied once, to the block's result, by the
/// normalisation that ends the block; its gradient is copied once, to that of the input.
public final class IdentityBranch {
  let source: Variable
  let gradient = IdentityGradient()

  fileprivate init(_ source: Variable) { self.source = source }
}

/// The gradient of a block's result, carried from the block's end to its beginning. Its first channels are the identity
/// branch's.
final class IdentityGradient {
  private var value: Tensor?

  func keep(_ gradient: Tensor) { value = gradient }

  fileprivate func take() -> Tensor {
    guard let gradient = value else { preconditionFailure("shuffleSplit: no block ends after this identity branch") }
    value = nil
    return gradient
  }
}

/// The channel shuffle that opens a block and the split that follows (spec 1.4): the identity branch, which skips the
/// block, and the main half, which it works on. The main half must end in one normalisation after the identity branch.
public func shuffleSplit(_ x: Variable) -> (identity: IdentityBranch, main: Variable) {
  let identity = IdentityBranch(x)
  let main = result(ChannelShuffle.main(x.value), of: [x]) { [dx = x.slot, joined = identity.gradient] gradient in
    dx.accumulate(ChannelShuffle.inputGradient(joined: joined.take(), main: gradient))
  }
  return (identity, main)
}
