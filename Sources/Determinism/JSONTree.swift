/// A JSON document as read from a file.
public enum JSONTree: Sendable {
  case null
  case bool(Bool)
  /// A number without a fraction and an exponent.
  case integer(Int)
  /// A number with a fraction or an exponent: the nearest binary64.
  case number(Double)
  case string(String)
  case array([JSONTree])
  /// Members in file order.
  case object([Member])

  /// A name and a value of an object.
  public struct Member: Sendable {
    public let name: String
    public let value: JSONTree
  }

  /// Parses a whole document, strictly by RFC 8259; a leading byte order mark is skipped.
  public static func parse(_ text: [UInt8]) throws(JSONError) -> JSONTree { try JSONParser.parse(text) }

  /// The kind of value with its article, for messages.
  public var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .integer: "an integer"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// A syntax error in JSON text.
public struct JSONError: Error, Equatable, CustomStringConvertible {
  /// From 1; 0 where the error has no single position.
  public let line: Int
  /// From 1, in bytes.
  public let column: Int
  /// What is wrong, without the position.
  public let message: String

  public var description: String { line == 0 ? message : "\(line):\(column): \(message)" }
}

/// A strict JSON parser (RFC 8259) that reports errors with line and column.
///
/// Annotation files reach hundreds of megabytes, so it makes one pass over the bytes and builds no intermediate
/// objects. Records and artifacts may come from untrusted sources, so memory is proportional to the text.
/// `NaN` and `Infinity`, which Python writes and reads, are errors here. Nesting is limited to 512 levels.
///
/// No number is rounded silently where a program may expect an exact one: whole numbers beyond 64 bits, and numbers that
/// would underflow to zero, are errors. A leading byte order mark, as editors on Windows write it, is skipped.
struct JSONParser {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position: Int
  private let start: Int
  private var depth = 0

  static func parse(_ text: [UInt8]) throws(JSONError) -> JSONTree {
    try text.withUnsafeBufferPointer { bytes throws(JSONError) in
      var parser = JSONParser(bytes: bytes)
      let tree = try parser.value()
      parser.skipSpace()
      if parser.position < bytes.count { throw parser.mistake("text after the end of the document") }
      return tree
    }
  }

  private init(bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    start = bytes.starts(with: TextLines.byteOrderMark) ? TextLines.byteOrderMark.count : 0
    position = start
  }

  private func mistake(_ message: String) -> JSONError {
    let end = min(position, bytes.count)
    let before = bytes[start..<max(start, end)]
    let line = before.reduce(1) { $0 + ($1 == 10 ? 1 : 0) }
    let column = end - (before.lastIndex(of: 10).map { $0 + 1 } ?? start) + 1
    return JSONError(line: line, column: column, message: message)
  }

  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  /// The next byte that is not white space, not consumed; 0 at the end.
  private mutating func peek() -> UInt8 {
    skipSpace()
    return position < bytes.count ? bytes[position] : 0
  }

  private mutating func value() throws(JSONError) -> JSONTree {
    switch peek() {
    case UInt8(ascii: "{"): return try nested { parser throws(JSONError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(JSONError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "N"), UInt8(ascii: "I"): throw mistake("NaN and Infinity are not valid in JSON")
    default: throw mistake(position < bytes.count ? "expected a value" : "the text ends where a value is expected")
    }
  }

  private mutating func nested(_ body: (inout JSONParser) throws(JSONError) -> JSONTree) throws(JSONError) -> JSONTree {
    if depth == 512 { throw mistake("nested more than 512 levels deep") }
    depth += 1
    defer { depth -= 1 }
    position += 1
    return try body(&self)
  }

  private mutating func object() throws(JSONError) -> JSONTree {
    var members = [JSONTree.Member]()
    if peek() == UInt8(ascii: "}") {
      position += 1
      return .object(members)
    }
    while true {
      if peek() != UInt8(ascii: "\"") { throw mistake("expected a member name in double quotes") }
      let name = try string()
      if peek() != UInt8(ascii: ":") { throw mistake("expected ':' after the member name") }
      position += 1
      members.append(.init(name: name, value: try value()))
      let next = peek()
      if next != UInt8(ascii: ",") && next != UInt8(ascii: "}") { throw mistake("expected ',' or '}'") }
      position += 1
      if next == UInt8(ascii: "}") { return .object(members) }
    }
  }

  private mutating func array() throws(JSONError) -> JSONTree {
    var elements = [JSONTree]()
    if peek() == UInt8(ascii: "]") {
      position += 1
      return .array(elements)
    }
    while true {
      elements.append(try value())
      let next = peek()
      if next != UInt8(ascii: ",") && next != UInt8(ascii: "]") { throw mistake("expected ',' or ']'") }
      position += 1
      if next == UInt8(ascii: "]") { return .array(elements) }
    }
  }

  private mutating func literal(_ word: StaticString, _ value: JSONTree) throws(JSONError) -> JSONTree {
    let matches = word.withUTF8Buffer { word in
      position + word.count <= bytes.count && zip(word, bytes[position...]).allSatisfy { $0 == $1 }
    }
    if !matches { throw mistake("unknown literal; did you mean '\(word)'?") }
    position += word.utf8CodeUnitCount
    return value
  }

  private mutating func digits() throws(JSONError) {
    let start = position
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
    if position == start { throw mistake("expected a digit") }
  }

  private mutating func number() throws(JSONError) -> JSONTree {
    let first = position
    if bytes[position] == UInt8(ascii: "-") { position += 1 }
    let firstDigit = position
    try digits()
    if bytes[firstDigit] == UInt8(ascii: "0") && position > firstDigit + 1 {
      position = firstDigit
      throw mistake("a number starts with 0")
    }
    var isInteger = true
    if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try digits()
    }
    if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      position += 1
      if position < bytes.count, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[position]) { position += 1 }
      try digits()
    }
    let digits = bytes[first..<position]
    let text = String(decoding: digits, as: UTF8.self)
    if isInteger, let integer = Int(text) { return .integer(integer) }
    let shown = text.utf8.count <= 40 ? text : "\(text.prefix(37))..."
    position = first
    if isInteger { throw mistake("the whole number \(shown) does not fit in 64 bits; write it as a string, in quotes") }
    let mantissa = digits.prefix { $0 | 0x20 != UInt8(ascii: "e") }
    let isZero = !mantissa.contains { (0x31...0x39).contains($0) }
    guard let number = Double(text), number.isFinite, isZero || number != 0 else {
      throw mistake("the number \(shown) is out of range")
    }
    position = digits.endIndex
    return .number(number)
  }
}

// MARK: Strings

extension JSONParser {
  private mutating func string() throws(JSONError) -> String {
    position += 1
    let start = position
    while position < bytes.count, bytes[position] >= 0x20, bytes[position] != UInt8(ascii: "\\") {
      if bytes[position] == UInt8(ascii: "\"") {
        position += 1
        return try decoded(bytes[start..<position - 1])
      }
      position += 1
    }
    var content = Array(bytes[start..<position])
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return try decoded(content)
      case UInt8(ascii: "\\"): content += Array(String(try escape()).utf8)
      case 0..<0x20:
        position -= 1
        throw mistake("a control character in a string")
      default: content.append(byte)
      }
    }
    throw mistake("the text ends inside a string")
  }

  private func decoded(_ utf8: some Collection<UInt8>) throws(JSONError) -> String {
    guard let text = String(validating: utf8, as: UTF8.self) else { throw mistake("a string is not UTF-8") }
    return text
  }

  private mutating func escape() throws(JSONError) -> Character {
    guard position < bytes.count else { throw mistake("the text ends inside a string") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var unit = try hexadecimal()
      if (0xd800..<0xdc00).contains(unit), position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
        bytes[position + 1] == UInt8(ascii: "u")
      {
        position += 2
        let low = try hexadecimal()
        if !(0xdc00..<0xe000).contains(low) { throw mistake("half of a surrogate pair") }
        unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(unit) else { throw mistake("half of a surrogate pair") }
      return Character(scalar)
    default:
      position -= 1
      throw mistake("unknown escape in a string")
    }
  }

  private mutating func hexadecimal() throws(JSONError) -> UInt32 {
    guard position + 4 <= bytes.count,
      bytes[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw mistake("expected four hexadecimal digits") }
    position += 4
    return value
  }
}
