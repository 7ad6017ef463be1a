/// Concatenation and splitting along channels: copies, no arithmetic. `x` is `[N, C, ...]`.
public enum Channels {
  /// The channels of all tensors, in order.
  /// - Precondition: at least one tensor; all dimensions but the channels agree.
  public static func concatenate(_ tensors: [Tensor]) -> Tensor {
    precondition(!tensors.isEmpty, "concatenate: no tensors")
    let first = tensors[0].shape
    for t in tensors {
      precondition(
        t.shape.rank >= 2 && t.shape.replacing(1, with: 0) == first.replacing(1, with: 0),
        "concatenate: \(first) and \(t.shape)")
    }
    if let device = Device.current, tensors.contains(where: { device.takes($0) }) {
      return device.concatenateChannels(tensors)
    }
    let size = first.planeSize
    let channels = tensors.reduce(0) { $0 + $1.shape[1] }
    var out = Tensor(uninitialized: first.replacing(1, with: channels))
    let target = out.mutablePointer
    var starts = [0]
    for t in tensors { starts.append(starts.last! + t.shape[1] * size) }
    // A tensor's channels of an image are contiguous on both sides; long runs are split so that threads share them.
    let piece = Loops.piece
    let pieces = (channels * size + piece - 1) / piece
    Loops.planes(first[0] * pieces, size: piece) { i in
      let (image, from) = (i / pieces, i % pieces * piece)
      let to = min(channels * size, from + piece)
      for (t, start) in zip(tensors, starts) {
        let (low, high) = (max(from, start), min(to, start + t.shape[1] * size))
        if low >= high { continue }
        (target + image * channels * size + low).update(
          from: t.pointer + image * t.shape[1] * size + (low - start), count: high - low)
      }
    }
    return out
  }

  /// Splits into runs of `counts` channels: the gradient of `concatenate`.
  /// - Precondition: the counts add up to C.
  public static func split(_ x: Tensor, _ counts: [Int]) -> [Tensor] {
    precondition(
      x.shape.rank >= 2 && counts.reduce(0, +) == x.shape[1] && counts.allSatisfy { $0 >= 0 },
      "split: \(x.shape) into \(counts)")
    var first = 0
    return counts.map { count in
      defer { first += count }
      return slice(x, first..<first + count)
    }
  }

  /// The channels in `range`.
  public static func slice(_ x: Tensor, _ range: Range<Int>) -> Tensor {
    precondition(
      x.shape.rank >= 2 && range.lowerBound >= 0 && range.upperBound <= x.shape[1], "slice: \(range) of \(x.shape)")
    return gather(x, Array(range))
  }

  /// Channel i of the result is channel `order[i]` of `x`.
  public static func gather(_ x: Tensor, _ order: [Int]) -> Tensor {
    precondition(
      x.shape.rank >= 2 && order.allSatisfy { $0 >= 0 && $0 < x.shape[1] }, "gather: \(order) of \(x.shape)")
    if let device = Device.current, device.takes(x) { return device.gatherChannels(x, order) }
    let size = x.shape.planeSize
    let channels = x.shape[1]
    var out = Tensor(uninitialized: x.shape.replacing(1, with: order.count))
    let source = x.pointer
    let target = out.mutablePointer
    Loops.planes(x.shape[0] * order.count, size: size) { plane in
      let from = source + (plane / order.count * channels + order[plane % order.count]) * size
      (target + plane * size).update(from: from, count: size)
    }
    return out
  }
}
