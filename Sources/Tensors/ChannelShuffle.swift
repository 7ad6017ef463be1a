/// The channel shuffle of the choice blocks: the two halves of the channels interleave, and the result is cut into
/// halves again. Shuffle and cut are one permuted copy.
public enum ChannelShuffle: Sendable, Hashable {
  /// Interleaved order 0, C/2, 1, C/2 + 1, ...; its first half bypasses the block, its second is convolved. With C = 8:
  /// bypass (0, 4, 1, 5), main (2, 6, 3, 7).
  case interleaved
  /// Even channels bypass, odd ones are convolved.
  case evenOdd

  /// The channels of the two halves.
  /// - Precondition: an even number of channels.
  public func order(channels: Int) -> (bypass: [Int], main: [Int]) {
    precondition(channels % 2 == 0, "channel shuffle: \(channels) channels")
    let half = channels / 2
    switch self {
    case .interleaved:
      let order = (0..<channels).map { $0 % 2 * half + $0 / 2 }
      return (Array(order[..<half]), Array(order[half...]))
    case .evenOdd:
      return ((0..<half).map { 2 * $0 }, (0..<half).map { 2 * $0 + 1 })
    }
  }

  /// Cuts `[N, C, ...]` into two tensors of `[N, C/2, ...]`.
  public func split(_ x: Tensor) -> (bypass: Tensor, main: Tensor) {
    let order = order(channels: x.shape[1])
    return (Channels.gather(x, order.bypass), Channels.gather(x, order.main))
  }

  /// The inverse of `split`, and so its gradient.
  public func merge(bypass: Tensor, main: Tensor) -> Tensor {
    precondition(bypass.shape == main.shape, "channel shuffle: \(bypass.shape) and \(main.shape)")
    let half = bypass.shape[1]
    let order = order(channels: 2 * half)
    let size = bypass.shape.planeSize
    var out = Tensor(uninitialized: bypass.shape.replacing(1, with: 2 * half))
    let target = out.mutablePointer
    let halves = [(bypass.pointer, order.bypass), (main.pointer, order.main)]
    Loops.planes(bypass.shape[0] * half, size: 2 * size) { plane in
      for (source, channels) in halves {
        let to = target + (plane / half * 2 * half + channels[plane % half]) * size
        to.update(from: source + plane * size, count: size)
      }
    }
    return out
  }

  /// All channels in the new order: `split` without the cut.
  public func shuffle(_ x: Tensor) -> Tensor {
    let order = order(channels: x.shape[1])
    return Channels.gather(x, order.bypass + order.main)
  }
}
