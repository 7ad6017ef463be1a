// What operations of this module hand to kernels. A kernel takes a bare pointer for one call; the place where that
// points is checked here against the elements of the tensor. Both are valid while the tensor is: an operation that makes
// them from a tensor of its own, and not from an argument, keeps that tensor alive until its last kernel is done.

/// The elements of a tensor for reading.
struct ElementPointer {
  /// The first element, for calls that take the whole tensor.
  let base: UnsafePointer<Float>
  let count: Int

  subscript(index: Int) -> Float {
    precondition(index >= 0 && index < count, "ElementPointer: element \(index) of \(count)")
    return base[index]
  }

  /// The place of an element, or that behind the last one.
  static func + (elements: ElementPointer, index: Int) -> UnsafePointer<Float> {
    precondition(index >= 0 && index <= elements.count, "ElementPointer: place \(index) of \(elements.count)")
    return elements.base + index
  }
}

/// The elements of a tensor for writing.
struct MutableElementPointer {
  /// The first element, for calls that take the whole tensor.
  let base: UnsafeMutablePointer<Float>
  let count: Int

  subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "MutableElementPointer: element \(index) of \(count)")
      return base[index]
    }
    nonmutating set {
      precondition(index >= 0 && index < count, "MutableElementPointer: element \(index) of \(count)")
      base[index] = newValue
    }
  }

  /// The place of an element, or that behind the last one.
  static func + (elements: MutableElementPointer, index: Int) -> UnsafeMutablePointer<Float> {
    precondition(index >= 0 && index <= elements.count, "MutableElementPointer: place \(index) of \(elements.count)")
    return elements.base + index
  }

  /// Sets the first `count` elements.
  func update(repeating value: Float, count: Int) {
    precondition(count >= 0 && count <= self.count, "MutableElementPointer: \(count) of \(self.count) elements")
    base.update(repeating: value, count: count)
  }
}
