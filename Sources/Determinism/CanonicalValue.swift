/// A tree of plain values with a canonical encoding: equal values have equal bytes.
///
/// Keys of stages, parameters, records and small artifacts are built from it. The canonical encoding is JSON without
/// white space. Members are sorted by the UTF-8 bytes of their names. Whole numbers are written in decimal, other
/// numbers as the shortest text that parses to the same binary64 (Swift's `description`), so any JSON tool can read it.
///
/// JSON has one kind of number, and tools may rewrite `1.0` as `1`. So both are encoded as `1`, and `-0.0` as `0`: a
/// value that any JSON tool has rewritten keeps its digest.
///
/// Strings are equal where their bytes are: `é` as one scalar and as two are different values. No two members of an
/// object may have names that are canonically equivalent in Unicode.
public enum CanonicalValue: Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  /// Must be finite: JSON has no infinity and no NaN.
  case number(Double)
  case string(String)
  case array([CanonicalValue])
  case object([String: CanonicalValue])
}

extension CanonicalValue: Hashable {
  public static func == (a: CanonicalValue, b: CanonicalValue) -> Bool {
    switch (a, b) {
    case (.null, .null): return true
    case (.bool(let x), .bool(let y)): return x == y
    case (.integer(let x), .integer(let y)): return x == y
    case (.number(let x), .number(let y)): return x == y
    case (.string(let x), .string(let y)): return x.hasSameBytes(as: y)
    case (.array(let x), .array(let y)): return x == y
    case (.object(let x), .object(let y)):
      return x.count == y.count
        && x.allSatisfy { name, value in
          guard let i = y.index(forKey: name) else { return false }
          return y[i].key.hasSameBytes(as: name) && y[i].value == value
        }
    default: return false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .bool(let b): hasher.combine(b)
    case .integer(let i): hasher.combine(i)
    case .number(let d): hasher.combine(d)
    case .string(let s): hasher.combine(ByteName(s))
    case .array(let values): hasher.combine(values)
    // Members have no order, so their hashes are added up.
    case .object(let members):
      hasher.combine(members.reduce(0) { $0 &+ ByteName($1.key).hashValue &* 31 &+ $1.value.hashValue })
    }
  }
}

extension CanonicalValue {
  /// A number that may not be finite, such as a measurement: infinity and NaN become the strings `inf` and `nan`.
  public static func measure(_ value: Double) -> CanonicalValue {
    value.isFinite ? .number(value) : .string("\(value)")
  }

  /// The canonical encoding, which `digest` hashes.
  public var canonicalBytes: [UInt8] {
    var out = [UInt8]()
    write(to: &out)
    return out
  }

  /// The canonical encoding as text.
  public var canonicalText: String { String(decoding: canonicalBytes, as: UTF8.self) }

  /// The SHA-256 digest of the canonical encoding.
  public var digest: Digest { Digest(of: canonicalBytes) }

  private func write(to out: inout [UInt8]) {
    switch self {
    case .null: out += "null".utf8
    case .bool(let b): out += (b ? "true" : "false").utf8
    case .integer(let i): out += String(i).utf8
    case .number(let d):
      precondition(d.isFinite, "CanonicalValue: \(d) has no canonical form")
      out += (Int(exactly: d).map(String.init) ?? d.description).utf8
    case .string(let s): CanonicalValue.writeString(s, to: &out)
    case .array(let values):
      out.append(UInt8(ascii: "["))
      for (i, v) in values.enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        v.write(to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let members):
      out.append(UInt8(ascii: "{"))
      for (i, name) in members.keys.sortedByBytes().enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        CanonicalValue.writeString(name, to: &out)
        out.append(UInt8(ascii: ":"))
        members[name]!.write(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  private static func writeString(_ s: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    var s = s
    s.withUTF8 { text in
      // Most text needs no escapes and is copied unchanged.
      if text.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
        out += text
      } else {
        for c in text { writeEscaped(c, to: &out) }
      }
    }
    out.append(UInt8(ascii: "\""))
  }

  private static func writeEscaped(_ c: UInt8, to out: inout [UInt8]) {
    func hex(_ n: UInt8) -> UInt8 { n < 10 ? 0x30 + n : 0x57 + n }
    switch c {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), c]
    case 0..<0x20: out += [UInt8(ascii: "\\"), UInt8(ascii: "u"), 0x30, 0x30, hex(c >> 4), hex(c & 15)]
    default: out.append(c)
    }
  }
}

extension CanonicalValue {
  /// A member of an object, looked up by the bytes of its name; nil where this is no object or has no such member.
  public subscript(name: String) -> CanonicalValue? {
    guard case .object(let members) = self, let i = members.index(forKey: name) else { return nil }
    return members[i].key.hasSameBytes(as: name) ? members[i].value : nil
  }

  // Each property is the value of its kind, and nil for values of other kinds.

  public var stringValue: String? { if case .string(let s) = self { s } else { nil } }
  public var boolValue: Bool? { if case .bool(let b) = self { b } else { nil } }
  public var integerValue: Int? { if case .integer(let i) = self { i } else { nil } }
  public var arrayValue: [CanonicalValue]? { if case .array(let a) = self { a } else { nil } }
  public var objectValue: [String: CanonicalValue]? { if case .object(let o) = self { o } else { nil } }

  /// The value as binary64, for numbers and integers.
  public var numberValue: Double? {
    switch self {
    case .number(let d): d
    case .integer(let i): Double(i)
    default: nil
    }
  }
}

extension CanonicalValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: CanonicalValue...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, CanonicalValue)...) {
    self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
  }
}
