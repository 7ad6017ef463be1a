import CCodecs

/// The type of one element of a stored tensor. The names are part of digests.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
  case float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64
  /// One byte, 0 or 1.
  case bool

  /// Bytes of one element.
  public var size: Int {
    switch self {
    case .int8, .uint8, .bool: 1
    case .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  var code: cc_element {
    switch self {
    case .float32: CC_FLOAT32
    case .float64: CC_FLOAT64
    case .int8: CC_INT8
    case .int16: CC_INT16
    case .int32: CC_INT32
    case .int64: CC_INT64
    case .uint8: CC_UINT8
    case .uint16: CC_UINT16
    case .uint32: CC_UINT32
    case .uint64: CC_UINT64
    case .bool: CC_BOOL
    }
  }

  init?(code: cc_element) {
    guard let type = ElementType.allCases.first(where: { $0.code == code }) else { return nil }
    self = type
  }
}

/// A Swift type whose memory layout is that of an element of a stored tensor.
///
/// Files and digests are little-endian, as are all machines that this code supports.
public protocol StoredElement: BitwiseCopyable, Sendable {
  /// The stored type of the values.
  static var elementType: ElementType { get }
}

extension Float: StoredElement { public static var elementType: ElementType { .float32 } }
extension Double: StoredElement { public static var elementType: ElementType { .float64 } }
extension Int8: StoredElement { public static var elementType: ElementType { .int8 } }
extension Int16: StoredElement { public static var elementType: ElementType { .int16 } }
extension Int32: StoredElement { public static var elementType: ElementType { .int32 } }
extension Int64: StoredElement { public static var elementType: ElementType { .int64 } }
extension UInt8: StoredElement { public static var elementType: ElementType { .uint8 } }
extension UInt16: StoredElement { public static var elementType: ElementType { .uint16 } }
extension UInt32: StoredElement { public static var elementType: ElementType { .uint32 } }
extension UInt64: StoredElement { public static var elementType: ElementType { .uint64 } }
