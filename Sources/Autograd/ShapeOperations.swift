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
