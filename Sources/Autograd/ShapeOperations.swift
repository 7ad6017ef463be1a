import Tensors

/// The same elements under another shape.
public func reshape(_ x: Variable, _ shape: Shape) -> Variable {
  result(x.value.reshaped(shape), of: [x]) { gradient in
    x.accumulate(gradient.reshaped(x.shape))
  }
}

/// Joins `[N, C, ...]` along the channels.
public func concatenate(_ parts: [Variable]) -> Variable {
  result(Channels.concatenate(parts.map(\.value)), of: parts) { gradient in
    for (part, piece) in zip(parts, Channels.split(gradient, parts.map { $0.shape[1] })) { part.accumulate(piece) }
  }
}

/// Channels `range` of `[N, C, ...]`.
public func channels(_ x: Variable, _ range: Range<Int>) -> Variable {
  result(Channels.slice(x.value, range), of: [x]) { gradient in
    func zeros(_ count: Int) -> Tensor { Tensor(zeros: x.shape.replacing(1, with: count)) }
    x.accumulate(
      Channels.concatenate([zeros(range.lowerBound), gradient, zeros(x.shape[1] - range.upperBound)]))
  }
}

/// The half of a shuffled input that goes around a block (spec 1.4). It is copied once, when `join` builds the block's
/// result, and its gradient once, when the gradient of the input is built.
public final class Bypass {
  fileprivate let source: Variable
  /// The gradient of the joined result, whose first half belongs to these channels.
  fileprivate var joinedGradient: Tensor?

  fileprivate init(_ source: Variable) { self.source = source }
}

/// The channel shuffle of spec 1.4 and the cut that follows: the half that bypasses a block, and the half it works on.
///
/// The bypass must go into one `join` with what becomes of the main half.
public func shuffleSplit(_ x: Variable) -> (bypass: Bypass, main: Variable) {
  let bypass = Bypass(x)
  let main = result(ChannelShuffle.main(x.value), of: [x]) { gradient in
    guard let joined = bypass.joinedGradient else { preconditionFailure("shuffleSplit: a bypass that joins nothing") }
    bypass.joinedGradient = nil
    x.accumulate(ChannelShuffle.inputGradient(joined: joined, main: gradient))
  }
  return (bypass, main)
}

/// The channels of `bypass`, then those of `branch`.
public func join(_ bypass: Bypass, _ branch: Variable) -> Variable {
  let y = ChannelShuffle.join(bypassOf: bypass.source.value, branch.value)
  return result(y, of: [branch]) { gradient in
    bypass.joinedGradient = gradient
    branch.accumulate(Channels.slice(gradient, branch.shape[1]..<2 * branch.shape[1]))
  }
}

/// Joins along the outermost dimension.
public func concatenateRows(_ parts: [Variable]) -> Variable {
  result(Rows.concatenate(parts.map(\.value)), of: parts) { gradient in
    var start = 0
    for part in parts {
      let end = start + part.shape[0]
      part.accumulate(gradient.rows(start..<end))
      start = end
    }
  }
}

/// `x.flat[indices[i]]` for every `i`, as `[indices.count]`.
///
/// The gradient adds to the elements in the order of the indices.
public func gather(_ x: Variable, at indices: [Int32]) -> Variable {
  result(Gathering.gather(x.value, at: indices), of: [x]) { gradient in
    x.accumulate(Gathering.scatter(gradient, at: indices, shape: x.shape))
  }
}
