import Foundation

/// Any `Codable` value converts to and from a `CanonicalValue`, through Foundation's JSON coder.
extension CanonicalValue: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let b = try? container.decode(Bool.self) {
      self = .bool(b)
    } else if let i = try? container.decode(Int.self) {
      self = .integer(i)
    } else if let d = try? container.decode(Double.self) {
      self = .number(d)
    } else if let s = try? container.decode(String.self) {
      self = .string(s)
    } else if let a = try? container.decode([CanonicalValue].self) {
      self = .array(a)
    } else {
      self = .object(try container.decode([String: CanonicalValue].self))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let b): try container.encode(b)
    case .integer(let i): try container.encode(i)
    case .number(let d): try container.encode(d)
    case .string(let s): try container.encode(s)
    case .array(let a): try container.encode(a)
    case .object(let o): try container.encode(o)
    }
  }

  /// Reads JSON text. Whole numbers that fit become integers, however they are written; numbers with a fraction or an
  /// exponent become the nearest binary64.
  /// - Throws: `JSONError` for malformed text, for whole numbers beyond 64 bits, and for an object with a duplicate
  ///   member, also where the two names are only canonically equivalent: parsers differ about which one wins.
  public init(json: [UInt8]) throws(JSONError) {
    self = try CanonicalValue(JSONTree.parse(json))
  }

  private init(_ tree: JSONTree) throws(JSONError) {
    switch tree {
    case .null: self = .null
    case .bool(let b): self = .bool(b)
    case .integer(let i): self = .integer(i)
    case .number(let d): self = Int(exactly: d).map(CanonicalValue.integer) ?? .number(d)
    case .string(let s): self = .string(s)
    case .array(let elements):
      var values = [CanonicalValue]()
      values.reserveCapacity(elements.count)
      for element in elements { values.append(try CanonicalValue(element)) }
      self = .array(values)
    case .object(let members):
      var values = [String: CanonicalValue](minimumCapacity: members.count)
      for member in members {
        let value = try CanonicalValue(member.value)
        if let other = values.index(forKey: member.name).map({ values[$0].key }) {
          let message =
            other.hasSameBytes(as: member.name)
            ? "an object has the member '\(member.name)' twice"
            : "an object has members '\(other.escapedBytes)' and '\(member.name.escapedBytes)', which Unicode treats "
              + "as one name"
          throw JSONError(line: 0, column: 0, message: message)
        }
        values[member.name] = value
      }
      self = .object(values)
    }
  }

  /// The canonical form of a `Codable` value.
  public init(encoding value: some Encodable) throws {
    self = try CanonicalValue(json: Array(JSONEncoder().encode(value)))
  }

  /// Decodes a value from this tree.
  /// - Parameter userInfo: the decoder's `userInfo`.
  public func decoded<T: Decodable>(
    as type: T.Type, userInfo: [CodingUserInfoKey: any Sendable] = [:]
  ) throws -> T {
    let decoder = JSONDecoder()
    decoder.userInfo = userInfo
    return try decoder.decode(type, from: Data(canonicalBytes))
  }

  /// Indented JSON with sorted members, for people to read; ends with a newline.
  public var prettyText: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { return canonicalText + "\n" }
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}
