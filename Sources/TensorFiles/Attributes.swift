import CCodecs
import Determinism

/// Attributes between `CanonicalValue` and HDF5.
///
/// Strings, integers, binary64 numbers, truth values and non-empty lists of integers or of numbers have HDF5 types of
/// their own, so that other tools show them. Anything else is canonical JSON in a string whose name ends in `@json`.
enum Attributes {
  static let jsonSuffix = "@json"

  /// Writes attributes of the root group in name order.
  static func write(_ attributes: [String: CanonicalValue], to file: cc_h5) throws(TensorFileError) {
    for (name, value) in attributes.sorted(by: { precedes($0.key, $1.key) }) {
      try HDF5.check(write(name, value, to: file), .unwritable, "attribute '\(name)'", "cannot be stored")
    }
  }

  private static func write(_ name: String, _ value: CanonicalValue, to file: cc_h5) -> Int32 {
    switch value {
    case .string(let text) where !text.utf8.contains(0):
      return writeText(name, text, to: file)
    case .integer(let i): return writeNumbers(name, CC_INT64, [Int64(i)], isScalar: true, to: file)
    case .number(let d): return writeNumbers(name, CC_FLOAT64, [d], isScalar: true, to: file)
    case .bool(let b): return writeNumbers(name, CC_BOOL, [Int8(b ? 1 : 0)], isScalar: true, to: file)
    case .array(let values) where !values.isEmpty:
      let integers = values.compactMap { if case .integer(let i) = $0 { Int64(i) } else { nil } }
      if integers.count == values.count { return writeNumbers(name, CC_INT64, integers, isScalar: false, to: file) }
      let numbers = values.compactMap { if case .number(let d) = $0 { d } else { nil } }
      if numbers.count == values.count { return writeNumbers(name, CC_FLOAT64, numbers, isScalar: false, to: file) }
      return writeText(name + jsonSuffix, value.canonicalText, to: file)
    default: return writeText(name + jsonSuffix, value.canonicalText, to: file)
    }
  }

  private static func writeText(_ name: String, _ text: String, to file: cc_h5) -> Int32 {
    let bytes = Array(text.utf8)
    return cc_h5_write_attribute(file, name, CC_STRING, -1, bytes, bytes.count)
  }

  private static func writeNumbers<T>(
    _ name: String, _ element: cc_element, _ values: [T], isScalar: Bool, to file: cc_h5
  ) -> Int32 {
    values.withUnsafeBytes {
      cc_h5_write_attribute(file, name, element, isScalar ? -1 : Int64(values.count), $0.baseAddress, 0)
    }
  }

  /// Reads the attributes of an object (`""` is the root group).
  static func read(_ file: cc_h5, object: String, place: String) throws(TensorFileError) -> [String: CanonicalValue] {
    let count = cc_h5_attribute_count(file, object)
    try HDF5.check(count, .corrupt, place, "the attributes cannot be counted")
    var result = [String: CanonicalValue]()
    for i in 0..<count {
      var attribute = cc_h5_attribute()
      try HDF5.check(
        cc_h5_read_attribute(file, object, i, &attribute), .corrupt, place, "attribute \(i) cannot be read")
      defer { cc_h5_attribute_free(&attribute) }
      let name = String(cString: attribute.name)
      let value = try value(of: attribute, place: "\(place): attribute '\(name)'")
      if name.hasSuffix(jsonSuffix), let text = value.stringValue,
        let parsed = try? CanonicalValue(json: Array(text.utf8))
      {
        result[String(name.dropLast(jsonSuffix.count))] = parsed
      } else {
        result[name] = value
      }
    }
    return result
  }

  private static func value(of a: cc_h5_attribute, place: String) throws(TensorFileError) -> CanonicalValue {
    let count = Int(a.count)
    let flat: [CanonicalValue]
    switch a.element {
    case CC_STRING: flat = (0..<count).map { .string(String(cString: a.strings[$0]!)) }
    case CC_INT64:
      let p = a.data.assumingMemoryBound(to: Int64.self)
      flat = (0..<count).map { .integer(Int(p[$0])) }
    case CC_UINT64:
      let p = a.data.assumingMemoryBound(to: UInt64.self)
      guard (0..<count).allSatisfy({ p[$0] <= UInt64(Int.max) }) else {
        throw TensorFileError(.unsupported, at: place, "an integer above \(Int.max)")
      }
      flat = (0..<count).map { .integer(Int(p[$0])) }
    case CC_FLOAT64:
      let p = a.data.assumingMemoryBound(to: Double.self)
      // JSON has no such numbers; their names stand in.
      flat = (0..<count).map {
        p[$0].isFinite ? .number(p[$0]) : .string(p[$0].isNaN ? "NaN" : p[$0] > 0 ? "+inf" : "-inf")
      }
    case CC_BOOL:
      let p = a.data.assumingMemoryBound(to: Int8.self)
      flat = (0..<count).map { .bool(p[$0] != 0) }
    default:
      throw TensorFileError(.unsupported, at: place, "its type is neither a number, a truth value nor a string")
    }
    return withUnsafeBytes(of: a.shape) { raw in
      nest(flat[...], shape: raw.bindMemory(to: UInt64.self).prefix(Int(a.rank)).map(Int.init)[...])
    }
  }

  private static func nest(_ flat: ArraySlice<CanonicalValue>, shape: ArraySlice<Int>) -> CanonicalValue {
    guard let extent = shape.first else { return flat.first ?? .null }
    let step = shape.dropFirst().reduce(1, *)
    return .array(
      (0..<extent).map { i in
        let start = flat.startIndex + i * step
        return nest(flat[start..<start + step], shape: shape.dropFirst())
      })
  }
}
