extension Tensor {
  /// Concatenates tensors along the outermost dimension, in order.
  /// - Precondition: at least one tensor; all dimensions but the first agree.
  public static func concatenate(_ tensors: [Tensor]) -> Tensor {
    precondition(!tensors.isEmpty, "concatenate: no tensors")
    let first = tensors[0].shape
    precondition(
      tensors.allSatisfy { $0.shape.replacing(0, with: 0) == first.replacing(0, with: 0) },
      "concatenate: \(tensors.map(\.shape))")
    let shape = first.replacing(0, with: tensors.reduce(0) { $0 + $1.shape[0] })
    if let device = Device.current, tensors.contains(where: { device.takes($0) }) {
      return device.concatenateRows(tensors, shape)
    }
    var out = Tensor(uninitialized: shape)
    let target = out.mutablePointer
    var place = 0
    for tensor in tensors {
      (target + place).update(from: tensor.pointer.base, count: tensor.count)
      place += tensor.count
    }
    return out
  }
}
