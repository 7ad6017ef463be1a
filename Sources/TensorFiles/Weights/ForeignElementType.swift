import Tensors

/// The element types in other programs' files. The two 16-bit floating-point types become binary32, which represents all
/// their values.
enum ForeignElementType {
  case same(ElementType)
  case float16
  case bfloat16

  /// By its safetensors name.
  init?(safetensors name: String) {
    switch name {
    case "F64": self = .same(.float64)
    case "F32": self = .same(.float32)
    case "F16": self = .float16
    case "BF16": self = .bfloat16
    case "I64": self = .same(.int64)
    case "I32": self = .same(.int32)
    case "I16": self = .same(.int16)
    case "I8": self = .same(.int8)
    case "U64": self = .same(.uint64)
    case "U32": self = .same(.uint32)
    case "U16": self = .same(.uint16)
    case "U8": self = .same(.uint8)
    case "BOOL": self = .same(.bool)
    default: return nil
    }
  }

  /// By the name of PyTorch's storage class.
  init?(storage name: String) {
    switch name {
    case "torch.DoubleStorage": self = .same(.float64)
    case "torch.FloatStorage": self = .same(.float32)
    case "torch.HalfStorage": self = .float16
    case "torch.BFloat16Storage": self = .bfloat16
    case "torch.LongStorage": self = .same(.int64)
    case "torch.IntStorage": self = .same(.int32)
    case "torch.ShortStorage": self = .same(.int16)
    case "torch.CharStorage": self = .same(.int8)
    case "torch.ByteStorage": self = .same(.uint8)
    case "torch.BoolStorage": self = .same(.bool)
    default: return nil
    }
  }

  /// Bytes of one element.
  var size: Int {
    switch self {
    case .same(let type): type.size
    case .float16, .bfloat16: 2
    }
  }

  /// Bytes of a tensor; nil for a shape that overflows, even where another extent is zero.
  func byteCount(_ shape: [Int]) -> Int? {
    var bytes = size
    for extent in shape {
      let (product, isTooLarge) = bytes.multipliedReportingOverflow(by: max(1, extent))
      // Twice, since two-byte elements become four.
      guard !isTooLarge, product <= Int.max / 2 else { return nil }
      bytes = product
    }
    return shape.contains(0) ? 0 : bytes
  }

  /// The tensor with these elements, converted to an `ElementType`.
  /// - Precondition: `bytes` has the size of all elements of `shape`.
  func tensor(_ bytes: [UInt8], shape: [Int]) -> NamedTensor {
    func wide(_ value: (UInt16) -> Float) -> NamedTensor {
      NamedTensor((0..<bytes.count / 2).map { value(bytes.number(at: 2 * $0)) }, shape: shape)
    }
    return switch self {
    case .same(.bool):
      NamedTensor(elementType: .bool, shape: shape, bytes: bytes.map { $0 == 0 ? 0 : 1 })
    case .same(let type): NamedTensor(elementType: type, shape: shape, bytes: bytes)
    case .float16: wide { Float(Float16(bitPattern: $0)) }
    case .bfloat16: wide { Float(bitPattern: UInt32($0) << 16) }
    }
  }
}
