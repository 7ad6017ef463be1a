import Crypto

/// A SHA-256 digest. Stored objects are named by the digest of their content.
///
/// Stored inline, not in an array: a plan holds tens of thousands of them.
public struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The 32 bytes as four big-endian words.
  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// - Precondition: `buffer` holds 32 bytes.
  fileprivate init(raw buffer: UnsafeRawBufferPointer) {
    precondition(buffer.count == 32, "Digest: \(buffer.count) bytes, expected 32")
    func word(_ i: Int) -> UInt64 { UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: 8 * i, as: UInt64.self)) }
    words = (word(0), word(1), word(2), word(3))
  }

  /// - Precondition: `bytes` has 32 elements.
  public init(bytes: [UInt8]) {
    self = bytes.withUnsafeBytes { Digest(raw: $0) }
  }

  /// Hashes a whole buffer.
  public init(of data: [UInt8]) {
    self = data.withUnsafeBytes { Digest(of: $0) }
  }

  /// Hashes the UTF-8 bytes of a text.
  public init(of text: String) {
    var text = text
    self = text.withUTF8 { Digest(of: UnsafeRawBufferPointer($0)) }
  }

  /// Hashes memory without copying it.
  public init(of buffer: UnsafeRawBufferPointer) {
    var hasher = SHA256()
    hasher.update(bufferPointer: buffer)
    self = hasher.finalize().withUnsafeBytes { Digest(raw: $0) }
  }

  /// Reads 64 lowercase or uppercase hexadecimal digits; nil for anything else.
  public init?(hex: String) {
    var hex = hex
    guard let digest = hex.withUTF8({ Digest(hexDigits: $0) }) else { return nil }
    self = digest
  }

  /// Reads 64 lowercase or uppercase hexadecimal digits in ASCII; nil for anything else.
  public init?(hexDigits digits: ArraySlice<UInt8>) {
    guard let digest = digits.withUnsafeBufferPointer({ Digest(hexDigits: $0) }) else { return nil }
    self = digest
  }

  private init?(hexDigits digits: UnsafeBufferPointer<UInt8>) {
    guard digits.count == 64 else { return nil }
    func word(_ i: Int) -> UInt64? {
      var word: UInt64 = 0
      for digit in digits[16 * i..<16 * i + 16] {
        guard let value = Digest.nibble(digit) else { return nil }
        word = word << 4 | value
      }
      return word
    }
    guard let a = word(0), let b = word(1), let c = word(2), let d = word(3) else { return nil }
    words = (a, b, c, d)
  }

  private static func nibble(_ c: UInt8) -> UInt64? {
    switch c {
    case 0x30...0x39: UInt64(c - 0x30)
    case 0x61...0x66: UInt64(c - 0x61 + 10)
    case 0x41...0x46: UInt64(c - 0x41 + 10)
    default: nil
    }
  }

  /// The 32 bytes.
  public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

  /// Calls `body` with the 32 bytes.
  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    let big = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
    return try Swift.withUnsafeBytes(of: big) { try body($0) }
  }

  /// 64 lowercase hexadecimal digits.
  public var hex: String {
    String(unsafeUninitializedCapacity: 64) { out in
      for i in 0..<4 {
        let word = i == 0 ? words.0 : i == 1 ? words.1 : i == 2 ? words.2 : words.3
        for j in 0..<16 {
          let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * j)) & 15
          out[16 * i + j] = digit < 10 ? 0x30 + digit : 0x57 + digit
        }
      }
      return 64
    }
  }

  /// The first 12 digits, for display.
  public var short: String { String(hex.prefix(12)) }

  public var description: String { hex }

  public static func == (a: Digest, b: Digest) -> Bool { a.words == b.words }

  public static func < (a: Digest, b: Digest) -> Bool { a.words < b.words }

  public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
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

/// Computes a digest incrementally, for data that does not fit in memory at once.
public struct DigestBuilder {
  private var hasher = SHA256()

  public init() {}

  /// Adds bytes; all bytes are hashed as one sequence.
  public mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) } }
  /// Adds the 32 bytes of a digest.
  public mutating func update(_ digest: Digest) { digest.withUnsafeBytes { hasher.update(bufferPointer: $0) } }
  /// Adds memory without copying it.
  public mutating func update(_ buffer: UnsafeRawBufferPointer) { hasher.update(bufferPointer: buffer) }
  /// Adds the UTF-8 bytes of a text.
  public mutating func update(_ text: String) { update(Array(text.utf8)) }

  /// The digest of everything added so far.
  public func finalize() -> Digest { hasher.finalize().withUnsafeBytes { Digest(raw: $0) } }
}
