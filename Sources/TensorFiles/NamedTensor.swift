import Tensors

/// A tensor as files hold it: any element type, any rank up to 32. The file gives it its name.
public struct NamedTensor: Hashable, Sendable {
  public let elementType: ElementType
  /// Extents, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The elements, row-major, little-endian.
  public let bytes: [UInt8]

  /// - Precondition: `bytes` holds as many elements as the shape says.
  public init(elementType: ElementType, shape: [Int], bytes: [UInt8]) {
    precondition(
      bytes.count == shape.reduce(elementType.size, *),
      "NamedTensor: \(bytes.count) bytes for \(elementType) \(shape)")
    self.elementType = elementType
    self.shape = shape
    self.bytes = bytes
  }

  /// - Parameter shape: a list of `values.count` elements by default.
  /// - Precondition: as many values as the shape says.
  public init<Element: StoredElement>(_ values: [Element], shape: [Int]? = nil) {
    self.init(
      elementType: Element.elementType, shape: shape ?? [values.count],
      bytes: values.withUnsafeBytes { Array($0) })
  }

  public init(_ tensor: Tensor) {
    self.init(
      elementType: .float32, shape: tensor.shape.array,
      bytes: tensor.withElements { Array(UnsafeRawBufferPointer($0)) })
  }

  /// The number of elements.
  public var count: Int { bytes.count / elementType.size }

  /// The elements, where they are of that type; nil otherwise.
  public func values<Element: StoredElement>(as type: Element.Type = Element.self) -> [Element]? {
    guard Element.elementType == elementType else { return nil }
    return bytes.withUnsafeBytes { raw in
      [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
        UnsafeMutableRawBufferPointer(buffer).copyMemory(from: raw)
        initialized = count
      }
    }
  }

  /// The elements as binary64, whatever their type (64-bit integers round).
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

  /// The elements as integers, where the type is one (`bool` counts); nil for floating point.
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
  /// The values of a stored tensor, rounded to binary32 where they are of another type; nil above rank five.
  public init?(_ stored: NamedTensor) {
    guard stored.shape.count <= Shape.maximalRank else { return nil }
    let shape = Shape(stored.shape)
    if stored.elementType == .float32 {
      self.init(zeros: shape)
      withMutableElements { elements in
        stored.bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(elements).copyMemory(from: $0) }
      }
    } else {
      self.init(stored.doubles.map(Float.init), shape: shape)
    }
  }
}
