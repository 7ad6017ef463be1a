/// The channel shuffle at the start of a choice block (method 1.4): the two halves of the channels are interleaved, and
/// the result is split into halves again. One half skips the block, the other goes through it.
///
/// Shuffle, split and the concatenation at the block's end are permuted copies of planes, and no plane is copied twice.
public enum ChannelShuffle {
  /// The input channels of the two halves of 0, C/2, 1, C/2 + 1, ...: for C = 8, identity (0, 4, 1, 5) and main
  /// (2, 6, 3, 7).
  /// - Precondition: an even number of channels.
  public static func order(channels: Int) -> (identity: [Int], main: [Int]) {
    precondition(channels % 2 == 0, "channel shuffle: \(channels) channels")
    let half = channels / 2
    let order = (0..<channels).map { $0 % 2 * half + $0 / 2 }
    return (Array(order[..<half]), Array(order[half...]))
  }

  /// The half of `[N, C, ...]` that a block works on: `[N, C/2, ...]`.
  public static func main(_ x: Tensor) -> Tensor { Channels.gather(x, order(channels: x.shape[1]).main) }

  /// Copies the half of `x` that skips a block to the first channels of the block's output.
  static func copyIdentity(of x: Tensor, into out: inout Tensor) {
    let identity = order(channels: x.shape[1]).identity
    let channels = out.shape[1]
    precondition(
      channels >= identity.count && out.shape == x.shape.replacing(1, with: channels),
      "channel shuffle: identity of \(x.shape) in \(out.shape)")
    let size = x.shape.planeSize
    let target = out.mutablePointer
    let source = x.pointer
    Loops.planes(x.shape[0] * identity.count, size: size) { plane in
      let (image, c) = (plane / identity.count, plane % identity.count)
      (target + (image * channels + c) * size).update(
        from: source + (image * x.shape[1] + identity[c]) * size, count: size)
    }
  }

  /// The gradient of a block's input `[N, C, ...]`.
  ///
  /// - Parameters:
  ///   - joined: the gradient of the block's output, whose first C/2 channels belong to the identity branch.
  ///   - main: the gradient of the main half, `[N, C/2, ...]`.
  public static func inputGradient(joined: Tensor, main: Tensor) -> Tensor {
    let half = main.shape[1]
    precondition(
      joined.shape[1] >= half && joined.shape.replacing(1, with: half) == main.shape,
      "channel shuffle: \(joined.shape) and \(main.shape)")
    if let device = Device.current, device.takes(joined, main) {
      return device.shuffleGradient(joined: joined, main: main)
    }
    let order = order(channels: 2 * half)
    let size = main.shape.planeSize
    var out = Tensor(uninitialized: main.shape.replacing(1, with: 2 * half))
    let target = out.mutablePointer
    let (joinedChannels, identitySource, mainSource) = (joined.shape[1], joined.pointer, main.pointer)
    Loops.planes(main.shape[0] * half, size: 2 * size) { plane in
      let (image, c) = (plane / half, plane % half)
      let image0 = target + image * 2 * half * size
      (image0 + order.identity[c] * size).update(
        from: identitySource + (image * joinedChannels + c) * size, count: size)
      (image0 + order.main[c] * size).update(from: mainSource + plane * size, count: size)
    }
    return out
  }
}
