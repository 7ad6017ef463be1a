import CCodecs
import Determinism

/// Converts attributes between `CanonicalValue` and HDF5.
///
/// Strings, integers, binary64 numbers, booleans and non-empty lists of integers or of numbers are stored as native HDF5
/// types, so that other tools show them. Anything else is canonical JSON in a string whose name ends in `@json`.
enum Attributes {
  static let jsonSuffix = "@json"

  static func isJSON(_ name: String) -> Bool { name.utf8.suffix(jsonSuffix.utf8.count).elementsEqual(jsonSuffix.utf8) }

  // MARK: Writing

  /// How a value is stored in the file.
  private enum Stored {
    case text(String)
    case integers([Int64], isScalar: Bool)
    case numbers([Double], isScalar: Bool)
    case bool(Bool)
    case json(String)

    init(_ value: CanonicalValue) {
      switch value {
      case .string(let text) where !text.utf8.contains(0): self = .text(text)
      case .integer(let i): self = .integers([Int64(i)], isScalar: true)
      case .number(let d): self = .numbers([d], isScalar: true)
      case .bool(let b): self = .bool(b)
      case .array(let values) where !values.isEmpty:
        let integers = values.compactMap { if case .integer(let i) = $0 { Int64(i) } else { nil } }
        let numbers = values.compactMap { if case .number(let d) = $0 { d } else { nil } }
        self =
          integers.count == values.count
          ? .integers(integers, isScalar: false)
          : numbers.count == values.count ? .numbers(numbers, isScalar: false) : .json(value.canonicalText)
      default: self = .json(value.canonicalText)
      }
    }
  }

  /// The cost of an attribute, as the reader will count it.
  static func cost(_ name: String, _ value: CanonicalValue) -> UInt64 {
    let bytes = UInt64(name.utf8.count)
    return switch Stored(value) {
    case .text(let text): cc_h5_attribute_cost(bytes, 0, 1, UInt64(text.utf8.count))
    case .json(let text): cc_h5_attribute_cost(bytes + UInt64(jsonSuffix.utf8.count), 0, 1, UInt64(text.utf8.count))
    case .integers(let values, _): cc_h5_attribute_cost(bytes, UInt64(values.count), 0, 0)
    case .numbers(let values, _): cc_h5_attribute_cost(bytes, UInt64(values.count), 0, 0)
    case .bool: cc_h5_attribute_cost(bytes, 1, 0, 0)
    }
  }

  /// Writes attributes of the root group in name order.
  static func write(_ attributes: [String: CanonicalValue], to file: cc_h5) throws(TensorFileError) {
    for (name, value) in attributes.sorted(by: { precedes($0.key, $1.key) }) {
      try HDF5.check(write(name, Stored(value), to: file), .unwritable, "attribute '\(name)'", "cannot be stored")
    }
  }

  private static func write(_ name: String, _ value: Stored, to file: cc_h5) -> Int32 {
    switch value {
    case .text(let text): writeText(name, text, to: file)
    case .json(let text): writeText(name + jsonSuffix, text, to: file)
    case .integers(let values, let isScalar): writeNumbers(name, CC_INT64, values, isScalar: isScalar, to: file)
    case .numbers(let values, let isScalar): writeNumbers(name, CC_FLOAT64, values, isScalar: isScalar, to: file)
    case .bool(let b): writeNumbers(name, CC_BOOL, [Int8(b ? 1 : 0)], isScalar: true, to: file)
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

  // MARK: Reading

  /// What further attributes of a file may take.
  struct Budget {
    var bytes = UInt64(CC_MAX_ATTRIBUTE_BYTES)
    var count = UInt64(CC_MAX_ATTRIBUTES)
  }

  /// The attributes of one object.
  struct Found {
    var values = [String: CanonicalValue]()
    /// How attributes are stored that this program would store differently: the value alone does not tell.
    var forms = [String: String]()
  }

  /// Reads the attributes of an object (`""` is the root group).
  /// - Throws: `unsupported` for attributes that a digest could not tell from others.
  static func read(
    _ file: cc_h5, object: String, place: String, budget: inout Budget
  ) throws(TensorFileError) -> Found {
    var list = cc_h5_attributes()
    defer { cc_h5_attributes_free(&list) }
    let status = cc_h5_read_attributes(file, object, &budget.bytes, &budget.count, &list)
    let culprit = list.failed.map { ": attribute '\(shown(String(cString: $0).prefix(200)))'" } ?? ""
    try HDF5.check(status, .corrupt, place + culprit, "the attributes cannot be read")
    var found = Found()
    var seen = Set<ByteName>()
    for i in 0..<list.count {
      let attribute = list.items[i]
      guard let stored = String(validatingCString: attribute.name) else {
        let bytes = shownBytes(attribute.name).prefix(200)
        throw TensorFileError(.unsupported, at: "\(place): attribute '\(bytes)'", "its name is not UTF-8")
      }
      let place = "\(place): attribute '\(shown(stored.prefix(200)))'"
      var (name, value) = (stored, try AttributeValue(attribute, place: place))
      if let inner = json(in: stored, value) {
        (name, value.value) = (String(decoding: stored.utf8.dropLast(jsonSuffix.utf8.count), as: UTF8.self), inner)
      }
      guard seen.insert(ByteName(name)).inserted else {
        throw TensorFileError(.unsupported, at: place, "there is another attribute with the name '\(shown(name))'")
      }
      found.values[name] = value.value
      found.forms[name] = value.form
    }
    try Names.checkTwins(seen.sorted().map(\.text), at: "\(place): attribute")
    return found
  }

  /// The value of a JSON attribute as this program writes it; nil for text that only looks like one.
  private static func json(in name: String, _ found: AttributeValue) -> CanonicalValue? {
    guard isJSON(name), found.form == nil, case .string(let text) = found.value,
      let parsed = try? CanonicalValue(json: Array(text.utf8)), parsed.canonicalText.hasSameBytes(as: text),
      case .json = Stored(parsed)
    else { return nil }
    let inner = String(decoding: name.utf8.dropLast(jsonSuffix.utf8.count), as: UTF8.self)
    return inner.isEmpty || isJSON(inner) ? nil : parsed
  }
}
