import CCodecs
import Determinism

/// The order of names everywhere: by UTF-8 bytes. Swift's own order of strings follows Unicode, which changes.
func precedes(_ a: String, _ b: String) -> Bool { a.precedesInBytes(b) }

/// A name from elsewhere as messages show it: what would steer a terminal is escaped.
func shown(_ name: some StringProtocol) -> String {
  let isPlain = name.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) }
  return isPlain ? String(name) : name.escapedBytes
}

/// The bytes of a C string as messages show them: printable ASCII as it is, every other byte as `\\xNN`.
func shownBytes(_ text: UnsafePointer<CChar>) -> String {
  var out = ""
  var at = text
  while at.pointee != 0 {
    let byte = UInt8(bitPattern: at.pointee)
    out += (0x20..<0x7F).contains(byte) ? String(Unicode.Scalar(byte)) : "\\x" + String(byte, radix: 16)
    at += 1
  }
  return out
}

/// What names a tensor file can have, and how many: the reader keeps to the same, so what is written can be read.
enum Names {
  /// - Parameter names: sorted by their bytes.
  static func check(_ names: [String], attributes: [String: CanonicalValue]) throws(TensorFileError) {
    for name in names { try checkPath(name) }
    for (name, next) in zip(names, names.dropFirst()) where name.hasSameBytes(as: next) {
      throw TensorFileError(.badName, at: "tensor '\(shown(name))'", "the name is given twice")
    }
    try checkTwins(names, at: "tensor")
    try checkObjects(names)
    try checkAttributes(attributes)
  }

  private static func checkPath(_ name: String) throws(TensorFileError) {
    func bad(_ message: String) -> TensorFileError {
      TensorFileError(.badName, at: "tensor '\(shown(name.prefix(200)))'", message)
    }
    guard name.utf8.count <= CC_MAX_PATH else {
      throw bad("the name has \(name.utf8.count) bytes; at most \(CC_MAX_PATH) are possible")
    }
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard
      parts.allSatisfy({ !$0.isEmpty && !$0.contains(0) && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
      )
    else { throw bad("a name is parts joined by '/', none of them empty, '.' or '..'") }
    guard parts.count - 1 <= CC_MAX_DEPTH else { throw bad("more than \(CC_MAX_DEPTH) groups, one in the other") }
  }

  /// Names that look the same and that dictionaries keyed by text take for the same.
  static func checkTwins(_ names: some Sequence<String>, at place: String) throws(TensorFileError) {
    guard let (first, second) = names.canonicalTwins() else { return }
    throw TensorFileError(
      .badName, at: "\(place) '\(second)'",
      "the names \(first.escapedBytes) and \(second.escapedBytes) differ only in how Unicode writes them; rename one")
  }

  private static func checkObjects(_ names: [String]) throws(TensorFileError) {
    let tensors = Set(names.map { ByteName($0) })
    var groups = Set<ByteName>()
    for name in names {
      for group in Names.groups(of: name).reversed() {
        let group = ByteName(group)
        if tensors.contains(group) {
          throw TensorFileError(
            .badName, at: "tensor '\(shown(name))'",
            "'\(shown(group.text))' is a tensor and cannot hold another; rename one of them")
        }
        if !groups.insert(group).inserted { break }
      }
    }
    let count = names.count + groups.count + 1
    guard count <= CC_MAX_OBJECTS else {
      throw TensorFileError(
        .tooLarge, at: "\(names.count) tensors",
        "with their groups these are \(count) objects; a file holds at most \(CC_MAX_OBJECTS)")
    }
    let bytes = names.reduce(0) { $0 + $1.utf8.count } + groups.reduce(0) { $0 + $1.text.utf8.count }
    guard bytes <= Int(CC_MAX_PATH_BYTES) else {
      throw TensorFileError(
        .tooLarge, at: "\(names.count) tensors",
        "their names have \(bytes) bytes; at most \(CC_MAX_PATH_BYTES) are possible")
    }
  }

  private static func checkAttributes(_ attributes: [String: CanonicalValue]) throws(TensorFileError) {
    var cost: UInt64 = 0
    for (name, value) in attributes.sorted(by: { precedes($0.key, $1.key) }) {
      guard !name.isEmpty, !name.utf8.contains(0), !Attributes.isJSON(name), name.utf8.count < CC_MAX_PATH - 8 else {
        throw TensorFileError(
          .badName, at: "attribute '\(shown(name.prefix(200)))'",
          "an attribute has a name of less than \(CC_MAX_PATH - 8) bytes, without NUL, that does not end in "
            + "'\(Attributes.jsonSuffix)'")
      }
      cost = cost.addingSaturated(Attributes.cost(name, value))
    }
    guard attributes.count <= CC_MAX_ATTRIBUTES, cost <= CC_MAX_ATTRIBUTE_BYTES else {
      throw TensorFileError(
        .tooLarge, at: "\(attributes.count) attributes",
        "they take \(cost) bytes; a file holds at most \(CC_MAX_ATTRIBUTES) attributes "
          + "of \(CC_MAX_ATTRIBUTE_BYTES) bytes")
    }
  }

  /// The groups a name passes through, outermost first: `a`, `a/b` for `a/b/c`.
  static func groups(of name: String) -> [String] {
    let bytes = Array(name.utf8)
    return bytes.indices.filter { bytes[$0] == UInt8(ascii: "/") }.map {
      String(decoding: bytes[..<$0], as: UTF8.self)
    }
  }
}
