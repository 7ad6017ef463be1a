import Tensors

/// The same elements with another shape.
public func reshape(_ x: Variable, _ shape: Shape) -> Variable {
  result(x.value.reshaped(shape), of: [x]) { [dx = x.slot] gradient in
    dx.accumulate(gradient.reshaped(dx.shape))
  }
}

/// Concatenates `[N, C, ...]` along the channels.
public func concatenate(_ parts: [Variable]) -> Variable {
  result(Channels.concatenate(parts.map(\.value)), of: parts) { [slots = parts.map(\.slot)] gradient in
    for (part, piece) in zip(slots, Channels.split(gradient, slots.map { $0.shape[1] })) { part.accumulate(piece) }
  }
}

/// Channels `range` of `[N, C, ...]`.
public func channels(_ x: Variable, _ range: Range<Int>) -> Variable {
  result(Channels.slice(x.value, range), of: [x]) { [dx = x.slot] gradient in
    func zeros(_ count: Int) -> Tensor { Tensor(zeros: dx.shape.replacing(1, with: count)) }
    dx.accumulate(
      Channels.concatenate([zeros(range.lowerBound), gradient, zeros(dx.shape[1] - range.upperBound)]))
  }
}

/// Concatenates along the outermost dimension.
public func concatenateRows(_ parts: [Variable]) -> Variable {
  result(Tensor.concatenate(parts.map(\.value)), of: parts) { [slots = parts.map(\.slot)] gradient in
    var start = 0
    for part in slots {
      let end = start + part.shape[0]
      part.accumulate(gradient.rows(start..<end))
      start = end
    }
  }
}

/// `x.flat[indices[i]]` for every `i`, as `[indices.count]`.
///
/// Gradients are added to the elements in the order of the indices.
public func gather(_ x: Variable, at indices: [Int32]) -> Variable {
  result(Gathering.gather(x.value, at: indices), of: [x]) { [dx = x.slot] gradient in
    dx.accumulate(Gathering.scatter(gradient, at: indices, shape: dx.shape))
  }
}
