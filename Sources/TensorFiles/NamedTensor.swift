import Foundation
import Tensors

/// A tensor as stored in files, of any element type and a rank up to 32. Its name is kept by the file.
public struct NamedTensor: Hashable, Sendable {
  /// The type of the elements.
  public let elementType: ElementType
  /// Extents, outermost first; empty for a scalar.
  public let shape: [Int]
  private let storage: Storage

  private enum Storage: Sendable {
    case bytes([UInt8])
    /// Binary32 elements, sharing the tensor's memory.
    case tensor(Tensor)
  }

  /// - Parameter bytes: the elements, row-major, little-endian.
  /// - Precondition: `bytes` has the size of all elements of `shape`.
  public init(elementType: ElementType, shape: [Int], bytes: [UInt8]) {
    precondition(
      bytes.count == shape.reduce(elementType.size, *),
      "NamedTensor: \(bytes.count) bytes for \(elementType) \(shape)")
    self.elementType = elementType
    self.shape = shape
    self.storage = .bytes(bytes)
  }

  /// - Parameter shape: by default `[values.count]`.
  /// - Precondition: as many values as `shape` has elements.
  public init<Element: StoredElement>(_ values: [Element], shape: [Int]? = nil) {
    self.init(
      elementType: Element.elementType, shape: shape ?? [values.count],
      bytes: values.withUnsafeBytes { Array($0) })
  }

  /// Shares the tensor's memory.
  public init(_ tensor: Tensor) {
    elementType = .float32
    shape = tensor.shape.array
    storage = .tensor(tensor)
  }

  /// The number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// The number of bytes of all elements.
  public var byteCount: Int { count * elementType.size }

  /// The elements, row-major, little-endian.
  public var bytes: [UInt8] { if case .bytes(let bytes) = storage { bytes } else { withUnsafeBytes { Array($0) } } }

  /// Calls `body` with the elements, row-major, little-endian.
  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    switch storage {
    case .bytes(let bytes): try bytes.withUnsafeBytes(body)
    case .tensor(let tensor): try tensor.withElements { try body(UnsafeRawBufferPointer($0)) }
    }
  }

  public static func == (a: NamedTensor, b: NamedTensor) -> Bool {
    guard a.elementType == b.elementType, a.shape == b.shape else { return false }
    return a.withUnsafeBytes { a in
      b.withUnsafeBytes { b in a.count == b.count && (a.isEmpty || memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0)
      }
    }
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(elementType)
    hasher.combine(shape)
    withUnsafeBytes { hasher.combine(bytes: $0) }
  }

  /// For booleans, the first byte that is neither 0 nor 1; readers would interpret it differently. Nil where there is none.
  var invalidBool: UInt8? { elementType == .bool ? withUnsafeBytes { $0.first { $0 > 1 } } : nil }

  /// The elements, row-major, where they have that type; nil otherwise.
  public func values<Element: StoredElement>(as type: Element.Type = Element.self) -> [Element]? {
    guard Element.elementType == elementType else { return nil }
    return withUnsafeBytes { raw in
      [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: raw)
        initialized = count
      }
    }
  }

  /// The elements as binary64, for every type; 64-bit integers are rounded.
  public var doubles: [Double] {
    switch elementType {
    case .float32: values(as: Float.self)!.map(Double.init)
    case .float64: values(as: Double.self)!
    case .int8: values(as: Int8.self)!.map(Double.init)
    case .int16: values(as: Int16.self)!.map(Double.init)
    case .int32: values(as: Int32.self)!.map(Double.init)
    case .int64: values(as: Int64.self)!.map(Double.init)
    case .uint8, .bool: bytes.map(Double.init)
    case .uint16: values(as: UInt16.self)!.map(Double.init)
    case .uint32: values(as: UInt32.self)!.map(Double.init)
    case .uint64: values(as: UInt64.self)!.map(Double.init)
    }
  }

  /// The elements as integers, for integers and booleans; nil for floating point.
  public var integers: [Int]? {
    switch elementType {
    case .float32, .float64: nil
    case .int8: values(as: Int8.self)!.map(Int.init)
    case .int16: values(as: Int16.self)!.map(Int.init)
    case .int32: values(as: Int32.self)!.map(Int.init)
    case .int64: values(as: Int64.self)!.map(Int.init)
    case .uint8, .bool: bytes.map(Int.init)
    case .uint16: values(as: UInt16.self)!.map(Int.init)
    case .uint32: values(as: UInt32.self)!.map(Int.init)
    case .uint64: values(as: UInt64.self)!.map { Int(truncatingIfNeeded: $0) }
    }
  }
}

extension Tensor {
  /// The values of a stored tensor, rounded to binary32 where they have another type; nil above rank five.
  public init?(_ stored: NamedTensor) {
    guard stored.shape.count <= Shape.maximalRank else { return nil }
    let shape = Shape(stored.shape)
    if stored.elementType == .float32 {
      self.init(zeros: shape)
      withMutableElements { elements in
        stored.withUnsafeBytes { UnsafeMutableRawBufferPointer(elements).copyMemory(from: $0) }
      }
    } else {
      self.init(stored.doubles.map(Float.init), shape: shape)
    }
  }
}
