/// Splits text into lines that end with LF or CR LF; a byte order mark at the start is skipped.
///
/// To Swift, CR LF is one character, so a search for the character LF finds no line end in a file from Windows.
public enum TextLines {
  /// U+FEFF in UTF-8.
  public static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  /// The bytes without a leading byte order mark.
  public static func withoutByteOrderMark(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
    bytes.starts(with: byteOrderMark) ? bytes.dropFirst(3) : bytes[...]
  }

  /// The lines without their line ends; what follows the last line end counts as a line unless it is empty.
  public static func split(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
    var lines = withoutByteOrderMark(bytes).split(separator: 0x0A, omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    return lines.map { $0.last == 0x0D ? $0.dropLast() : $0 }
  }

  /// The lines of a text, as for bytes.
  public static func split(_ text: some StringProtocol) -> [String] {
    split(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
  }
}
