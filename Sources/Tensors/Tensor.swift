/// A dense array of binary32 values, row-major: the last dimension varies fastest.
///
/// A tensor is a value: a copy shares memory until one of the two is written. Operations (`Convolution2D`, `Pooling`,
/// ...) return new tensors.
public struct Tensor: Sendable {
  /// The extents, outermost first.
  public let shape: Shape
  private var storage: Storage
  /// Index of the first element in the storage; rows of a larger tensor share its memory.
  private let offset: Int

  /// Memory with unspecified content, for operations of this module that write every element.
  init(uninitialized shape: Shape) {
    self.shape = shape
    self.storage = Storage(for: shape)
    self.offset = 0
  }

  private init(shape: Shape, storage: Storage, offset: Int) {
    self.shape = shape
    self.storage = storage
    self.offset = offset
  }

  /// All elements +0.
  public init(zeros shape: Shape) { self.init(repeating: 0, shape: shape) }

  /// All elements `value`.
  public init(repeating value: Float, shape: Shape) {
    self.init(uninitialized: shape)
    storage.pointer.initialize(repeating: value, count: shape.count)
  }

  /// Copies values in row-major order.
  /// - Precondition: as many values as `shape` has elements.
  public init(_ values: [Float], shape: Shape) {
    precondition(values.count == shape.count, "Tensor: \(values.count) values for \(shape)")
    self.init(uninitialized: shape)
    values.withUnsafeBufferPointer { source in
      if let base = source.baseAddress { storage.pointer.update(from: base, count: values.count) }
    }
  }

  /// A tensor of rank 0.
  public init(scalar: Float) { self.init([scalar], shape: []) }

  /// Fills element `i` (row-major) with `value(i)`.
  public init(shape: Shape, _ value: (Int) -> Float) {
    self.init(uninitialized: shape)
    let pointer = storage.pointer
    for i in 0..<shape.count { pointer[i] = value(i) }
  }

  /// Lets `fill` write every element, row-major; what it leaves out is unspecified.
  public init(shape: Shape, filledBy fill: (UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
    self.init(uninitialized: shape)
    try fill(UnsafeMutableBufferPointer(start: storage.pointer, count: shape.count))
  }

  /// The number of elements.
  public var count: Int { shape.count }
  public var isEmpty: Bool { count == 0 }

  /// The elements, row-major.
  public var array: [Float] { withElements { Array($0) } }

  /// The value of a tensor with one element.
  /// - Precondition: `count` is 1.
  public var item: Float {
    precondition(count == 1, "item: \(shape) has \(count) elements")
    return pointer[0]
  }

  /// Element `i`, row-major.
  public subscript(flat i: Int) -> Float {
    precondition(i >= 0 && i < count, "Tensor: element \(i) of \(count)")
    return pointer[i]
  }

  /// Calls `body` with the elements, row-major.
  public func withElements<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
    try withExtendedLifetime(storage) { try body(UnsafeBufferPointer(start: pointer.base, count: count)) }
  }

  /// Calls `body` with the elements for writing; copies them first where another tensor shares the memory.
  public mutating func withMutableElements<R>(_ body: (UnsafeMutableBufferPointer<Float>) throws -> R) rethrows -> R {
    try body(UnsafeMutableBufferPointer(start: mutablePointer.base, count: count))
  }

  // MARK: Access for the operations of this module

  /// Memory of a device with unspecified content, for operations that write every element.
  init(uninitialized shape: Shape, on context: DeviceContext) {
    self.shape = shape
    storage = Storage(for: shape, in: context.allocate(4 * shape.count))
    offset = 0
  }

  /// Whether only a device has the elements.
  var isAway: Bool { storage.isAway }

  /// The elements on a device; valid while the tensor is not written.
  func place(on context: DeviceContext) -> DevicePlace {
    DevicePlace(storage.block(on: context), of: Float.self, from: offset)
  }

  /// The elements on a device for writing; copies them first where another tensor shares the memory.
  mutating func writablePlace(on context: DeviceContext) -> DevicePlace {
    if !isKnownUniquelyReferenced(&storage) {
      let copy = Tensor(uninitialized: shape, on: context)
      context.copy(
        4 * count, from: storage.block(on: context), at: 4 * offset, to: copy.storage.block(on: context), at: 0)
      self = copy
    }
    return DevicePlace(storage.writableBlock(on: context), of: Float.self, from: offset)
  }

  /// The elements; valid while the tensor is alive and not written.
  var pointer: ElementPointer { ElementPointer(base: UnsafePointer(storage.pointer + offset), count: count) }

  /// The elements for writing; copies them first where another tensor shares the memory.
  var mutablePointer: MutableElementPointer {
    mutating get {
      if !isKnownUniquelyReferenced(&storage) {
        let copy = Storage(for: shape)
        copy.pointer.update(from: pointer.base, count: count)
        self = Tensor(shape: shape, storage: copy, offset: 0)
      }
      return MutableElementPointer(base: storage.writablePointer + offset, count: count)
    }
  }

  // MARK: Views

  /// The same elements with another shape; shares memory.
  /// - Precondition: `shape` has as many elements.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "reshaped: \(self.shape) to \(shape)")
    return Tensor(shape: shape, storage: storage, offset: offset)
  }

  /// Rows `range` of the outermost dimension; shares memory.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(
      shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0], "rows: \(range) of \(shape)")
    let stride = shape[0] == 0 ? 0 : count / shape[0]
    return Tensor(
      shape: shape.replacing(0, with: range.count), storage: storage, offset: offset + range.lowerBound * stride)
  }
}

extension Tensor: CustomStringConvertible {
  /// The shape and the first elements.
  public var description: String {
    let head = (0..<min(count, 8)).map { String(pointer[$0]) }.joined(separator: ", ")
    return "Tensor\(shape)(\(head)\(count > 8 ? ", …" : ""))"
  }
}

extension Tensor {
  /// Bit-for-bit equality: shape and the bits of every element (so NaN equals itself and -0 differs from 0).
  public func isIdentical(to other: Tensor) -> Bool {
    guard shape == other.shape else { return false }
    let a = pointer
    let b = other.pointer
    for i in 0..<count where a[i].bitPattern != b[i].bitPattern { return false }
    return true
  }
}
