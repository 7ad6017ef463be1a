import Pipelines

/// Looks over YAML text before it is parsed, for what would make the parser grow beyond all bounds: aliases that
/// multiply, aliases as keys, and nesting without end. It takes no notice of quotes, so it counts too much rather than
/// too little; no pipeline comes near.
enum YAMLScan {
  /// With so few, no nesting of them can grow beyond some tens of thousands of values.
  static let aliasLimit = 30
  /// Brackets open at a time, and list marks at the start of one line.
  static let nestingLimit = 128

  /// - Throws: code `syntax` with the line.
  static func refuseBombs(in text: String, file: String) throws {
    var aliases = 0
    var brackets = 0
    for (index, line) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
      func refuse(_ message: String) -> PipelineError {
        PipelineError(.syntax, at: SourceLocation(file: file, line: index + 1), message)
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
