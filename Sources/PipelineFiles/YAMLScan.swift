import PipelineModel

/// Scans YAML text before it is parsed, for input on which the parser's time or memory would explode: many aliases,
/// aliases as keys, and deep nesting; and for line ends that only some parsers recognise. It ignores quotes, so it may
/// count too much, never too little; no real pipeline comes near the limits.
enum YAMLScan {
  /// With at most so many aliases, values can't expand beyond some tens of thousands.
  static let aliasLimit = 30
  /// The largest number of open brackets, and of list markers at the start of one line.
  static let nestingLimit = 128

  /// - Throws: `PipelineError` with code `syntax` and the line.
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
        throw refuse("U+\(code) ends a line for some YAML parsers only; write it as \"\(escape)\" in double quotes")
      }
      let content = line.drop { $0 == 0x20 }
      if content.first == UInt8(ascii: "#") { continue }
      if marks(content) > nestingLimit { throw refuse("nested too deeply") }
      var previous = UInt8(ascii: " ")
      for (i, c) in zip(line.indices, line) {
        switch c {
        case UInt8(ascii: "["), UInt8(ascii: "{"): brackets += 1
        case UInt8(ascii: "]"), UInt8(ascii: "}"): brackets = max(0, brackets - 1)
        default: break
        }
        if brackets > nestingLimit { throw refuse("nested too deeply") }
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

  /// The lines with their numbers, from 1. Lines of YAML end with LF, CR LF or CR.
  private static func lines(of text: String.UTF8View) -> [(number: Int, line: Substring.UTF8View)] {
    var number = 1
    var lines = [(number: Int, line: Substring.UTF8View)]()
    for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
      // The CR of a CR LF does not end another line.
      let content = line.last == 0x0D ? line.dropLast() : line
      for part in content.split(separator: 0x0D, omittingEmptySubsequences: false) {
        lines.append((number, part))
        number += 1
      }
    }
    return lines
  }

  /// A Unicode line end, which the parser folds to a space, also inside quoted text.
  private static func rareLineEnd(in line: Substring.UTF8View) -> Unicode.Scalar? {
    if line.allSatisfy({ $0 < 0x80 }) { return nil }
    return String(decoding: line, as: UTF8.self).unicodeScalars.first { [0x85, 0x2028, 0x2029].contains($0.value) }
  }

  private static func isSpace(_ c: UInt8) -> Bool { c == 0x20 || c == 0x09 || c == 0x0D }

  /// The number of list and key markers at the start of a line, such as `- - ? -`.
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

  /// Whether a colon follows the name of an alias.
  private static func isKey(_ name: Substring.UTF8View) -> Bool {
    let rest = name.drop { !isSpace($0) && !",[]{}".utf8.contains($0) }.drop(while: isSpace)
    return rest.first == UInt8(ascii: ":")
  }
}
