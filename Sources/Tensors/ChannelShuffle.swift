/// The channel shuffle that opens a choice block (spec 1.4): the two halves of the channels interleave, and the result
/// is cut into halves again. One half goes around the block, the other through it.
///
/// Shuffle, cut and the joining at the block's end are permuted copies of planes, and no plane is copied twice.
public enum ChannelShuffle {
  /// The channels of the two halves of 0, C/2, 1, C/2 + 1, ...: with C = 8, bypass (0, 4, 1, 5) and main (2, 6, 3, 7).
  /// - Precondition: an even number of channels.
  public static func order(channels: Int) -> (bypass: [Int], main: [Int]) {
    precondition(channels % 2 == 0, "channel shuffle: \(channels) channels")
    let half = channels / 2
    let order = (0..<channels).map { $0 % 2 * half + $0 / 2 }
    return (Array(order[..<half]), Array(order[half...]))
  }

  /// The half of `[N, C, ...]` that a block works on: `[N, C/2, ...]`.
  public static func main(_ x: Tensor) -> Tensor { Channels.gather(x, order(channels: x.shape[1]).main) }

  /// A block's result: the bypass of its input `[N, C, ...]`, then what became of the main half, `[N, B, ...]`.
  public static func join(bypassOf x: Tensor, _ branch: Tensor) -> Tensor {
    let bypass = order(channels: x.shape[1]).bypass
    precondition(
      branch.shape.replacing(1, with: 0) == x.shape.replacing(1, with: 0),
      "channel shuffle: \(x.shape) joined by \(branch.shape)")
    let channels = bypass.count + branch.shape[1]
    let size = x.shape.planeSize
    var out = Tensor(uninitialized: x.shape.replacing(1, with: channels))
    let target = out.mutablePointer
    Loops.planes(x.shape[0] * channels, size: size) { plane in
      let (image, c) = (plane / channels, plane % channels)
      let source =
        c < bypass.count
        ? x.pointer + (image * x.shape[1] + bypass[c]) * size
        : branch.pointer + (image * branch.shape[1] + c - bypass.count) * size
      (target + plane * size).update(from: source, count: size)
    }
    return out
  }

  /// The gradient of a block's input: the bypass's from the first channels of the joined result's gradient, the main
  /// half's from `main`, `[N, C/2, ...]`.
  public static func inputGradient(joined: Tensor, main: Tensor) -> Tensor {
    let half = main.shape[1]
    precondition(
      joined.shape[1] >= half && joined.shape.replacing(1, with: half) == main.shape,
      "channel shuffle: \(joined.shape) and \(main.shape)")
    let order = order(channels: 2 * half)
    let size = main.shape.planeSize
    var out = Tensor(uninitialized: main.shape.replacing(1, with: 2 * half))
    let target = out.mutablePointer
    Loops.planes(main.shape[0] * half, size: 2 * size) { plane in
      let (image, c) = (plane / half, plane % half)
      let image0 = target + image * 2 * half * size
      (image0 + order.bypass[c] * size).update(from: joined.pointer + (image * joined.shape[1] + c) * size, count: size)
      (image0 + order.main[c] * size).update(from: main.pointer + plane * size, count: size)
    }
    return out
  }
}
