import Tensors

/// The half of a block's input that skips the block (method 1.4). The normalisation that ends the block copies it to
/// the block's output; the backward pass of `shuffleSplit` copies its gradient to that of the input.
public final class IdentityBranch {
  let source: Variable
  let gradient = IdentityGradient()

  fileprivate init(_ source: Variable) { self.source = source }
}

/// The gradient of a block's output, passed from the block's end to its beginning in the backward pass. Its first
/// channels are the identity branch's.
final class IdentityGradient {
  private var value: Tensor?

  func keep(_ gradient: Tensor) { value = gradient }

  fileprivate func take() -> Tensor {
    guard let gradient = value else { preconditionFailure("shuffleSplit: no block ends after this identity branch") }
    value = nil
    return gradient
  }
}

/// The channel shuffle at the start of a block and the split that follows (method 1.4).
///
/// - Returns: the identity branch, which skips the block, and the main half `[N, C/2, H, W]`. Exactly one normalisation
///   of the main half must take the identity branch as `after`.
public func shuffleSplit(_ x: Variable) -> (identity: IdentityBranch, main: Variable) {
  let identity = IdentityBranch(x)
  let main = result(ChannelShuffle.main(x.value), of: [x]) { [dx = x.slot, joined = identity.gradient] gradient in
    dx.accumulate(ChannelShuffle.inputGradient(joined: joined.take(), main: gradient))
  }
  return (identity, main)
}
