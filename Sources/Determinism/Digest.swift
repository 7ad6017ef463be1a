import Crypto

/// A SHA-256 value: the name of everything the project stores.
public struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// 32 bytes.
  public let bytes: [UInt8]

  /// - Precondition: `bytes` has 32 elements.
  public init(bytes: [UInt8]) {
    precondition(bytes.count == 32, "Digest: \(bytes.count) bytes, expected 32")
    self.bytes = bytes
  }

  /// Hashes a whole buffer.
  public init(of data: [UInt8]) {
    self.init(bytes: Array(SHA256.hash(data: data)))
  }

  /// Hashes the UTF-8 form of a text.
  public init(of text: String) {
    self.init(of: Array(text.utf8))
  }

  /// Hashes memory without copying it.
  public init(of buffer: UnsafeRawBufferPointer) {
    var hasher = SHA256()
    hasher.update(bufferPointer: buffer)
    self.init(bytes: Array(hasher.finalize()))
  }

  /// Reads 64 lowercase or uppercase hexadecimal digits; nil for anything else.
  public init?(hex: String) {
    let digits = Array(hex.utf8)
    guard digits.count == 64 else { return nil }
    var bytes = [UInt8]()
    bytes.reserveCapacity(32)
    for i in stride(from: 0, to: 64, by: 2) {
      guard let high = Digest.nibble(digits[i]), let low = Digest.nibble(digits[i + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    self.bytes = bytes
  }

  private static func nibble(_ c: UInt8) -> UInt8? {
    switch c {
    case 0x30...0x39: c - 0x30
    case 0x61...0x66: c - 0x61 + 10
    case 0x41...0x46: c - 0x41 + 10
    default: nil
    }
  }

  /// 64 lowercase hexadecimal digits.
  public var hex: String {
    let table = Array("0123456789abcdef".utf8)
    var out = [UInt8]()
    out.reserveCapacity(64)
    for b in bytes {
      out.append(table[Int(b >> 4)])
      out.append(table[Int(b & 15)])
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The first 12 digits, for people.
  public var short: String { String(hex.prefix(12)) }

  public var description: String { hex }

  public static func < (a: Digest, b: Digest) -> Bool {
    a.bytes.lexicographicallyPrecedes(b.bytes)
  }
}

extension Digest: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let digest = Digest(hex: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(text)' is not a digest of 64 hexadecimal digits")
    }
    self = digest
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(hex)
  }
}

/// Feeds a digest piece by piece, for data that does not fit in memory at once.
public struct DigestBuilder {
  private var hasher = SHA256()

  public init() {}

  public mutating func update(_ bytes: [UInt8]) { hasher.update(data: bytes) }
  public mutating func update(_ digest: Digest) { hasher.update(data: digest.bytes) }
  public mutating func update(_ buffer: UnsafeRawBufferPointer) { hasher.update(bufferPointer: buffer) }
  public mutating func update(_ text: String) { hasher.update(data: Array(text.utf8)) }

  public func finalize() -> Digest { Digest(bytes: Array(hasher.finalize())) }
}
