import Tensors

/// The half of a block's input that goes around the block (spec 1.4). It is copied once, to the block's result, by the
/// normalisation that ends the block; its gradient is copied once, to that of the input.
public final class Bypass {
  let source: Variable
  /// The gradient of the block's result, whose first channels are the bypass's.
  private var resultGradient: Tensor?

  fileprivate init(_ source: Variable) { self.source = source }

  func keep(resultGradient: Tensor) { self.resultGradient = resultGradient }

  fileprivate func takeResultGradient() -> Tensor {
    guard let gradient = resultGradient else { preconditionFailure("shuffleSplit: no block ends behind this bypass") }
    resultGradient = nil
    return gradient
  }
}

/// The channel shuffle that opens a block and the cut that follows (spec 1.4): the half that bypasses the block, and
/// the half it works on. What becomes of the main half must end in one normalisation behind the bypass.
public func shuffleSplit(_ x: Variable) -> (bypass: Bypass, main: Variable) {
  let bypass = Bypass(x)
  let main = result(ChannelShuffle.main(x.value), of: [x]) { gradient in
    x.accumulate(ChannelShuffle.inputGradient(joined: bypass.takeResultGradient(), main: gradient))
  }
  return (bypass, main)
}
