import CCodecs
import Determinism

/// The order of names in files and digests: by UTF-8 bytes. Swift's own order of strings depends on the Unicode version.
func precedes(_ a: String, _ b: String) -> Bool { a.precedesInBytes(b) }

/// A name from a file, for messages: escaped where it contains control characters.
func shown(_ name: some StringProtocol) -> String {
  let isPlain = name.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) }
  return isPlain ? String(name) : name.escapedBytes
}

/// The bytes of a C string, for messages: printable ASCII unchanged, every other byte as `\\xNN`.
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

/// Checks the names of a tensor file and their number. Reader and writer have the same limits, so what is written can be
/// read.
enum Names {
  /// - Parameter names: sorted by their bytes.
  static func check(_ names: [String], attributes: [String: CanonicalValue]) throws(TensorFileError) {
    for name in names { try checkPath(name) }
    for (name, next) in zip(names, names.dropFirst()) where name.hasSameBytes(as: next) {
      throw TensorFileError(.badName, at: "tensor '\(shown(name))'", "the name occurs twice")
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
      throw bad("the name has \(name.utf8.count) bytes; at most \(CC_MAX_PATH) are allowed")
    }
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    guard
      parts.allSatisfy({ !$0.isEmpty && !$0.contains(0) && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
      )
    else { throw bad("a name consists of parts joined by '/'; none may be empty, '.' or '..' or contain a NUL") }
    guard parts.count - 1 <= CC_MAX_DEPTH else { throw bad("more than \(CC_MAX_DEPTH) nested groups") }
  }

  /// Refuses names that are canonically equivalent in Unicode: they look the same, and dictionaries keyed by `String`
  /// confuse them.
  static func checkTwins(_ names: some Sequence<String>, at place: String) throws(TensorFileError) {
    guard let (first, second) = names.canonicalTwins() else { return }
    throw TensorFileError(
      .badName, at: "\(place) '\(second)'",
      "the names \(first.escapedBytes) and \(second.escapedBytes) differ only in their Unicode encoding; rename one")
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
            "'\(shown(group.text))' is a tensor and cannot contain another; rename one of them")
        }
        if !groups.insert(group).inserted { break }
      }
    }
    let count = names.count + groups.count + 1
    guard count <= CC_MAX_OBJECTS else {
      throw TensorFileError(
        .tooLarge, at: "\(names.count) tensors",
        "with their groups these are \(count) objects; a file may have at most \(CC_MAX_OBJECTS)")
    }
    let bytes = names.reduce(0) { $0 + $1.utf8.count } + groups.reduce(0) { $0 + $1.text.utf8.count }
    guard bytes <= Int(CC_MAX_PATH_BYTES) else {
      throw TensorFileError(
        .tooLarge, at: "\(names.count) tensors",
        "their names have \(bytes) bytes; at most \(CC_MAX_PATH_BYTES) are allowed")
    }
  }

  private static func checkAttributes(_ attributes: [String: CanonicalValue]) throws(TensorFileError) {
    var cost: UInt64 = 0
    for (name, value) in attributes.sorted(by: { precedes($0.key, $1.key) }) {
      guard !name.isEmpty, !name.utf8.contains(0), !Attributes.isJSON(name), name.utf8.count < CC_MAX_PATH - 8 else {
        throw TensorFileError(
          .badName, at: "attribute '\(shown(name.prefix(200)))'",
          "the name of an attribute must not be empty, have \(CC_MAX_PATH - 8) bytes or more, contain a NUL or end in "
            + "'\(Attributes.jsonSuffix)'")
      }
      cost = cost.addingSaturated(Attributes.cost(name, value))
    }
    guard attributes.count <= CC_MAX_ATTRIBUTES, cost <= CC_MAX_ATTRIBUTE_BYTES else {
      throw TensorFileError(
        .tooLarge, at: "\(attributes.count) attributes",
        "they take \(cost) bytes; a file may have at most \(CC_MAX_ATTRIBUTES) attributes "
          + "with \(CC_MAX_ATTRIBUTE_BYTES) bytes")
    }
  }

  /// The groups that contain a name, outermost first: `a`, `a/b` for `a/b/c`.
  static func groups(of name: String) -> [String] {
    let bytes = Array(name.utf8)
    return bytes.indices.filter { bytes[$0] == UInt8(ascii: "/") }.map {
      String(decoding: bytes[..<$0], as: UTF8.self)
    }
  }
}
