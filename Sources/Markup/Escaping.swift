import Determinism

/// How foreign text stands in markup: XML, SVG, and HTML that is XML as well.
///
/// Everything here works on scalars: to Swift, `<` followed by a combining mark is another character than `<`; to a parser
/// it is not.
extension StringProtocol {
  /// The text escaped for the content of an element. Characters that XML can't hold become U+FFFD.
  public var escapedForMarkup: String { escaped(inAttribute: false) }

  /// The text escaped for the quoted value of an attribute, without control characters.
  public var escapedForAttribute: String { escaped(inAttribute: true) }

  private func escaped(inAttribute: Bool) -> String {
    var out = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      switch scalar {
      case "&": out.append(contentsOf: "&amp;".unicodeScalars)
      case "<": out.append(contentsOf: "&lt;".unicodeScalars)
      case ">": out.append(contentsOf: "&gt;".unicodeScalars)
      case "\"" where inAttribute: out.append(contentsOf: "&quot;".unicodeScalars)
      case "\t", "\n": out.append(scalar)
      case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": out.append("\u{FFFD}")
      case "\u{7F}"..."\u{9F}" where inAttribute: out.append("\u{FFFD}")
      default: out.append(scalar)
      }
    }
    return String(out)
  }

  /// The text with U+FFFD for control characters and for marks that change the direction of writing: a name could
  /// otherwise make what stands beside it look like something else.
  public var withoutHiddenControls: String {
    func isHidden(_ scalar: Unicode.Scalar) -> Bool {
      switch scalar.value {
      case 0x09, 0x0A: false
      case 0x00..<0x20, 0x7F...0x9F, 0x200E, 0x200F, 0x061C, 0x202A...0x202E, 0x2066...0x2069: true
      default: false
      }
    }
    guard unicodeScalars.contains(where: isHidden) else { return String(self) }
    var out = String.UnicodeScalarView()
    for scalar in unicodeScalars { out.append(isHidden(scalar) ? "\u{FFFD}" : scalar) }
    return String(out)
  }
}
