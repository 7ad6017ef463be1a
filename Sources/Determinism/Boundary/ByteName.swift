import Foundation

/// A name or path as its UTF-8 bytes: equality, hash and order are those of the bytes.
///
/// Swift's `String` calls two texts equal where Unicode does (`é` as one scalar or as two), so a dictionary keyed by it
/// loses one of two files that the disk tells apart. Whatever is keyed or compared by a name that comes from a file, a
/// manifest, an archive or the system is keyed by this type.
public struct ByteName: Hashable, Comparable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
  /// The name as it was given.
  public let text: String

  /// The UTF-8 bytes of a text.
  public init(_ text: some StringProtocol) { self.text = String(text) }
  public init(stringLiteral value: String) { text = value }

  public var description: String { text }

  public static func == (a: ByteName, b: ByteName) -> Bool { a.text.hasSameBytes(as: b.text) }
  public static func < (a: ByteName, b: ByteName) -> Bool { a.text.precedesInBytes(b.text) }

  public func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension StringProtocol {
  /// Whether both texts have the same UTF-8 bytes. `==` also accepts texts that are canonically equivalent in Unicode.
  public func hasSameBytes(as other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }

  /// The order of the UTF-8 bytes, the same in every locale and Unicode version.
  public func precedesInBytes(_ other: some StringProtocol) -> Bool {
    // Sorting the names in a large record by single bytes takes most of the time that reading it takes.
    let order = utf8.withContiguousStorageIfAvailable { mine in
      other.utf8.withContiguousStorageIfAvailable { theirs -> Bool in
        let count = Swift.min(mine.count, theirs.count)
        let order = count == 0 ? 0 : memcmp(mine.baseAddress!, theirs.baseAddress!, count)
        return order == 0 ? mine.count < theirs.count : order < 0
      }
    }
    return (order ?? nil) ?? utf8.lexicographicallyPrecedes(other.utf8)
  }

  /// Whether the text's bytes begin with those of another. `hasPrefix` compares characters: a slash and the combining
  /// mark that follows it are one character, so a prefix that ends with the slash does not match.
  public func startsWithBytes(of prefix: some StringProtocol) -> Bool { utf8.starts(with: prefix.utf8) }

  /// The parts between the bytes `separator`, empty ones included.
  ///
  /// `split` and `components` of `String` look for characters: they miss a separator followed by a combining mark.
  public func splitBytes(at separator: UInt8) -> [String] {
    utf8.split(separator: separator, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Printable ASCII as it is, every other byte as `\xNN`: for messages about names that differ invisibly.
  public var escapedBytes: String {
    var out = ""
    for byte in utf8 {
      if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "\\") {
        out.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16)
        out += "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
      }
    }
    return out
  }
}

extension Sequence where Element == String {
  /// The texts in the order of their UTF-8 bytes.
  public func sortedByBytes() -> [String] { sorted { $0.precedesInBytes($1) } }

  /// The first two texts that are canonically equivalent in Unicode but differ in their bytes; nil where there are none.
  public func canonicalTwins() -> (String, String)? {
    var seen = [String: String]()  // Keyed by Unicode's equality, on purpose.
    for text in self {
      if let other = seen[text], !other.hasSameBytes(as: text) { return (other, text) }
      seen[text] = text
    }
    return nil
  }
}
