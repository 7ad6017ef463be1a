import CCodecs
import Determinism

/// The value of an attribute, and how it is stored where the value does not tell.
struct AttributeValue {
  var value: CanonicalValue
  /// The stored type and shape, such as `int32`, `string [0]` or `float64 null`; nil where this program would store the
  /// value so.
  let form: String?

  /// - Throws: `unsupported` for an attribute that is neither numbers, booleans nor text.
  init(_ a: cc_h5_attribute, place: String) throws(TensorFileError) {
    let shape = withUnsafeBytes(of: a.shape) { raw in
      raw.bindMemory(to: UInt64.self).prefix(Int(a.rank)).map { Int(clamping: $0) }
    }
    let flat = try AttributeValue.elements(a, place: place)
    value = AttributeValue.nest(flat[...], shape: shape[...])
    let name = a.element == CC_STRING ? "string" : ElementType(code: a.element)?.rawValue ?? "unknown"
    if a.is_null != 0 {
      form = "\(name) null"
    } else if AttributeValue.isOurs(a.element, shape: shape, flat) {
      form = nil
    } else {
      form = shape.isEmpty ? name : "\(name) \(shape)"
    }
  }

  private static func isOurs(_ element: cc_element, shape: [Int], _ flat: [CanonicalValue]) -> Bool {
    switch element {
    case CC_STRING, CC_BOOL: shape.isEmpty
    case CC_INT64, CC_FLOAT64:
      // Numbers that are not finite were replaced by text.
      shape.count <= 1 && !flat.isEmpty && !flat.contains { if case .string = $0 { true } else { false } }
    default: false
    }
  }

  private static func elements(_ a: cc_h5_attribute, place: String) throws(TensorFileError) -> [CanonicalValue] {
    let count = Int(a.count)
    func values<T: FixedWidthInteger>(_ type: T.Type) -> [T] {
      Array(UnsafeBufferPointer(start: a.data.assumingMemoryBound(to: type), count: count))
    }
    func integers<T: FixedWidthInteger>(_ type: T.Type) -> [CanonicalValue] {
      values(type).map { .integer(Int(truncatingIfNeeded: $0)) }
    }
    switch a.element {
    case CC_STRING: return try texts(a, count: count, place: place)
    case CC_INT8: return integers(Int8.self)
    case CC_INT16: return integers(Int16.self)
    case CC_INT32: return integers(Int32.self)
    case CC_INT64: return integers(Int64.self)
    case CC_UINT8: return integers(UInt8.self)
    case CC_UINT16: return integers(UInt16.self)
    case CC_UINT32: return integers(UInt32.self)
    case CC_UINT64:
      guard values(UInt64.self).allSatisfy({ $0 <= UInt64(Int.max) }) else {
        throw TensorFileError(.unsupported, at: place, "an integer above \(Int.max)")
      }
      return integers(UInt64.self)
    case CC_FLOAT32:
      return values(UInt32.self).map { number(Double(Float(bitPattern: $0)), bits: $0, usualNaN: 0x7FC0_0000) }
    case CC_FLOAT64:
      return values(UInt64.self).map { number(Double(bitPattern: $0), bits: $0, usualNaN: 0x7FF8_0000_0000_0000) }
    case CC_BOOL:
      guard values(UInt8.self).allSatisfy({ $0 <= 1 }) else {
        throw TensorFileError(.unsupported, at: place, "a boolean that is neither FALSE nor TRUE")
      }
      return values(UInt8.self).map { .bool($0 == 1) }
    default:
      throw TensorFileError(
        .unsupported, at: place,
        "its type is neither a float of 32 or 64 bits, an integer of 8 to 64, a boolean nor text")
    }
  }

  /// JSON has no infinities and NaNs; they become text, with the bits of a NaN other than the default.
  private static func number<B: FixedWidthInteger>(_ number: Double, bits: B, usualNaN: B) -> CanonicalValue {
    if number.isFinite { return .number(number) }
    if number.isNaN { return .string(bits == usualNaN ? "NaN" : "NaN " + String(bits, radix: 16)) }
    return .string(number > 0 ? "+inf" : "-inf")
  }

  private static func texts(
    _ a: cc_h5_attribute, count: Int, place: String
  ) throws(TensorFileError) -> [CanonicalValue] {
    var texts = [CanonicalValue]()
    texts.reserveCapacity(count)
    for i in 0..<count {
      guard let bytes = a.strings[i], let text = String(validatingCString: bytes) else {
        throw TensorFileError(.unsupported, at: place, "its text is not UTF-8")
      }
      texts.append(.string(text))
    }
    return texts
  }

  /// Nested lists of the given shape.
  private static func nest(_ flat: ArraySlice<CanonicalValue>, shape: ArraySlice<Int>) -> CanonicalValue {
    guard let extent = shape.first else { return flat.first ?? .null }
    let step = extent == 0 ? 0 : flat.count / extent
    return .array(
      (0..<extent).map { i in
        let start = flat.startIndex + i * step
        return nest(flat[start..<start + step], shape: shape.dropFirst())
      })
  }
}
