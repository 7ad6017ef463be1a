/// Paths of data sets, taken apart by bytes: to `String` a slash or a dot with a combining mark behind it is neither.
extension String {
  /// What follows the last slash.
  public var lastPathComponent: String {
    let bytes = utf8
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return String(self) }
    return String(decoding: bytes[bytes.index(after: slash)...], as: UTF8.self)
  }

  /// What precedes the last slash; empty where there is none.
  public var folderPath: String {
    utf8.lastIndex(of: UInt8(ascii: "/")).map { String(decoding: utf8[..<$0], as: UTF8.self) } ?? ""
  }

  /// Without the last dot of the name and what follows it; a dot at the beginning of a name ends nothing.
  public var withoutEnding: String {
    let bytes = utf8
    guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot > bytes.startIndex,
      bytes[bytes.index(before: dot)] != UInt8(ascii: "/"), !bytes[dot...].contains(UInt8(ascii: "/"))
    else { return String(self) }
    return String(decoding: bytes[..<dot], as: UTF8.self)
  }

  /// Whether the bytes end so, letters A to Z counted as a to z.
  public func hasEnding(_ ending: StaticString) -> Bool {
    ending.withUTF8Buffer { ending in
      utf8.count >= ending.count
        && zip(utf8.reversed(), ending.reversed()).allSatisfy {
          $0 == $1 || (0x41...0x5A).contains($0) && $0 | 0x20 == $1
        }
    }
  }
}
