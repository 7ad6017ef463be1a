/// What programs print, for a terminal.
enum Printable {
  /// A line without control characters, which could steer the user's terminal.
  static func line(_ text: some StringProtocol) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      if scalar == "\t" {
        out += " "
      } else if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
        out += escape(UInt8(scalar.value))
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// `\xNN`
  static func escape(_ byte: UInt8) -> String { "\\x" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16) }
}
