/// Lines of text from elsewhere: ended by LF or CR LF, maybe after a byte order mark.
///
/// To Swift CR LF is one character, so looking for the character LF finds no line in a file from Windows.
public enum TextLines {
  /// U+FEFF in UTF-8.
  public static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// The bytes without a byte order mark in front.
  public static func withoutByteOrderMark(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    bytes.starts(with: byteOrderMark) ? bytes.dropFirst(3) : bytes[...]
  }

  /// The lines without their ends; what follows the last end counts as a line unless it is empty.
  public static func split(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines = withoutByteOrderMark(bytes).split(separator: 0x0A, omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { $0.last == 0x0D ? $0.dropLast() : $0 }
  }

  public static func split(_ text: some StringProtocol) -> [String] {
    split(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }
}
