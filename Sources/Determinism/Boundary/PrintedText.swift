extension StringProtocol {
  /// The text for a terminal or a log line: control characters other than line feeds and tabs become `\xNN`.
  ///
  /// A name from an untrusted store could otherwise move the cursor or change the window's title.
  public var printable: String {
    guard unicodeScalars.contains(where: \.isUnprintable) else { return String(self) }
    var out = ""
    for scalar in unicodeScalars {
      if scalar.isUnprintable {
        let digits = String(scalar.value, radix: 16)
        out += "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// The text with every scalar in `replacements` replaced, whatever scalar follows it.
  public func replacingScalars(_ replacements: [Unicode.Scalar: String]) -> String {
    var out = ""
    for scalar in unicodeScalars {
      if let replacement = replacements[scalar] { out += replacement } else { out.unicodeScalars.append(scalar) }
    }
    return out
  }

  /// At most the first `limit` characters, followed by `...` where there are more: for messages that quote long texts.
  public func clipped(to limit: Int) -> String {
    let start = prefix(limit)
    return start.endIndex == endIndex ? String(self) : start + "..."
  }
}

extension Unicode.Scalar {
  fileprivate var isUnprintable: Bool {
    switch value {
    case 0x09, 0x0A: false
    case 0x00..<0x20, 0x7F...0x9F: true
    default: false
    }
  }
}
