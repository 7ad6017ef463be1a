/// Parts of paths, found by bytes: `String` does not find a slash or a dot that is followed by a combining mark.
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

  /// Without the file name extension and its dot; a dot at the beginning of a name starts no extension.
  public var withoutEnding: String {
    let bytes = utf8
    guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot > bytes.startIndex,
      bytes[bytes.index(before: dot)] != UInt8(ascii: "/"), !bytes[dot...].contains(UInt8(ascii: "/"))
    else { return String(self) }
    return String(decoding: bytes[..<dot], as: UTF8.self)
  }

  /// Whether the text ends with `ending`, which is lowercase; ASCII letters of the text match in either case.
  public func hasEnding(_ ending: StaticString) -> Bool {
    ending.withUTF8Buffer { ending in
      utf8.count >= ending.count
        && zip(utf8.reversed(), ending.reversed()).allSatisfy {
          $0 == $1 || (0x41...0x5A).contains($0) && $0 | 0x20 == $1
        }
    }
  }
}
