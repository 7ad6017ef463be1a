import PipelineModel

/// Looks over YAML text before it is parsed, for what would make the parser grow beyond all bounds: aliases that
/// multiply, aliases as keys, and nesting without end; and for line ends that not every reader takes for such. It takes
/// no notice of quotes, so it counts too much rather than too little; no pipeline comes near.
enum YAMLScan {
  /// With so few, no nesting of them can grow beyond some tens of thousands of values.
  static let aliasLimit = 30
  /// Brackets open at a time, and list marks at the start of one line.
  static let nestingLimit = 128

  /// - Throws: code `syntax` with the line.
  static func refuseBombs(in text: String, file: String) throws {
    var aliases = 0
    var brackets = 0
    for (number, line) in lines(of: text.utf8) {
      func refuse(_ message: String) -> PipelineError {
        PipelineError(.syntax, at: SourceLocation(file: file, line: number), message)
      }
      if let scalar = rareLineEnd(in: line) {
        let code = String(scalar.value, radix: 16)
        let escape = code.utf8.count == 2 ? "\\x\(code)" : "\\u\(code)"
        throw refuse("U+\(code) ends a line for some readers only; write it as \"\(escape)\" in double quotes")
      }
      let content = line.drop { $0 == 0x20 }
      if content.first == UInt8(ascii: "#") { continue }
      if marks(content) > nestingLimit { throw refuse("nested too deep") }
      var previous = UInt8(ascii: " ")
      for (i, c) in zip(line.indices, line) {
        switch c {
        case UInt8(ascii: "["), UInt8(ascii: "{"): brackets += 1
        case UInt8(ascii: "]"), UInt8(ascii: "}"): brackets = max(0, brackets - 1)
        default: break
        }
        if brackets > nestingLimit { throw refuse("nested too deep") }
        if previous == UInt8(ascii: "*"), !isSpace(c) {
          aliases += 1
          guard aliases <= aliasLimit else {
            throw refuse("more than \(aliasLimit) aliases ('*name'); give shared values a name under 'let'")
          }
          if isKey(line[i...]) { throw refuse("an alias can't be a key; keys must be plain words") }
        }
        previous = c
      }
    }
  }

  /// The lines with their numbers from 1. YAML ends lines at LF, CR LF and also at a CR alone.
  private static func lines(of text: String.UTF8View) -> [(number: Int, line: Substring.UTF8View)] {
    var number = 1
    var lines = [(number: Int, line: Substring.UTF8View)]()
    for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
      // The CR of a CR LF is no end of its own.
      let content = line.last == 0x0D ? line.dropLast() : line
      for part in content.split(separator: 0x0D, omittingEmptySubsequences: false) {
        lines.append((number, part))
        number += 1
      }
    }
    return lines
  }

  /// The parser ends lines there, in the middle of quoted text too, and makes a space of it.
  private static func rareLineEnd(in line: Substring.UTF8View) -> Unicode.Scalar? {
    if line.allSatisfy({ $0 < 0x80 }) { return nil }
    return String(decoding: line, as: UTF8.self).unicodeScalars.first { [0x85, 0x2028, 0x2029].contains($0.value) }
  }

  private static func isSpace(_ c: UInt8) -> Bool { c == 0x20 || c == 0x09 || c == 0x0D }

  /// How many lists and keys begin at the start of a line: `- - ? -`.
  private static func marks(_ line: Substring.UTF8View) -> Int {
    var count = 0
    var rest = line
    while let mark = rest.first, mark == UInt8(ascii: "-") || mark == UInt8(ascii: "?") {
      rest = rest.dropFirst()
      guard rest.first.map(isSpace) ?? true else { break }
      rest = rest.drop(while: isSpace)
      count += 1
    }
    return count
  }

  /// Whether what begins with the name of an alias goes on with a colon.
  private static func isKey(_ name: Substring.UTF8View) -> Bool {
    let rest = name.drop { !isSpace($0) && !",[]{}".utf8.contains($0) }.drop(while: isSpace)
    return rest.first == UInt8(ascii: ":")
  }
}
