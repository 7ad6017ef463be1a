/// Gathers single elements of a tensor, and scatters their gradients.
public enum Gathering {
  /// `x.flat[indices[i]]` for every `i`, as `[indices.count]`.
  /// - Precondition: every index is inside `x`.
  public static func gather(_ x: Tensor, at indices: [Int32]) -> Tensor {
    if let device = Device.current, device.takes(x), !indices.isEmpty {
      for index in indices { precondition(index >= 0 && index < x.count, "gather: element \(index) of \(x.shape)") }
      return device.gather(x, at: indices)
    }
    let source = x.pointer
    return Tensor(shape: [indices.count]) { i in
      let index = Int(indices[i])
      precondition(index >= 0 && index < x.count, "gather: element \(index) of \(x.shape)")
      return source[index]
    }
  }

  /// Zeros of `shape` with `values[i]` added at `indices[i]`, in the order of the indices.
  public static func scatter(_ values: Tensor, at indices: [Int32], shape: Shape) -> Tensor {
    precondition(values.count == indices.count, "scatter: \(values.count) values, \(indices.count) indices")
    if let device = Device.current, device.takes(values) {
      for index in indices { precondition(index >= 0 && index < shape.count, "scatter: element \(index) of \(shape)") }
      return device.scatter(values, at: indices, shape: shape)
    }
    var out = Tensor(zeros: shape)
    let source = values.pointer
    let target = out.mutablePointer
    for (i, index) in indices.enumerated() { target[Int(index)] += source[i] }
    return out
  }
}
