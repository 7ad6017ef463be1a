import Determinism
import Foundation
import PipelineModel
import Yams

/// Parses YAML text into located values, by the core schema of YAML 1.2: `yes` and `on` are text, `1e-4` is a number.
enum YAMLTree {
  /// The largest size of a pipeline file in bytes.
  static let sizeLimit = 1 << 20
  /// The largest number of values in a file.
  static let nodeLimit = 100_000

  /// - Throws: `PipelineError` with the location of the mistake.
  static func parse(_ text: String, file: String) throws -> LocatedValue {
    let start = SourceLocation(file: file)
    guard let value = try tree(text, file: file)?.value else {
      throw PipelineError(.syntax, at: start, "the file is empty")
    }
    return value
  }

  /// The value of a text, and whether it is a plain scalar without tag and anchor; nil for empty text.
  private static func tree(_ text: String, file: String) throws -> (value: LocatedValue, isBare: Bool)? {
    // A YAML stream may begin with a byte order mark.
    let text = String(decoding: TextLines.withoutByteOrderMark(Array(text.utf8)), as: UTF8.self)
    guard text.utf8.count <= sizeLimit else {
      throw PipelineError(
        .syntax, at: SourceLocation(file: file), "larger than \(sizeLimit >> 20) MiB; is this a pipeline?")
    }
    try YAMLScan.refuseBombs(in: text, file: file)
    // The parser and the deallocation of its tree recurse once per level.
    return try onDeepStack {
      let root: Node?
      do {
        root = try Parser(yaml: text, encoding: .utf8).singleRoot()
      } catch let error as YamlError {
        throw translate(error, text: text, file: file)
      }
      guard let root else { return nil }
      var converter = YAMLConverter(file: file)
      let isBare = root.scalar.map { YAMLConverter.isBare($0) } ?? false
      return (try converter.convert(root, depth: 0), isBare)
    }
  }

  private static func translate(_ error: YamlError, text: String, file: String) -> PipelineError {
    func at(_ mark: Mark) -> SourceLocation { SourceLocation(file: file, line: mark.line, column: mark.column) }
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      if problem.hasPrefix("Maximum nesting level") { return PipelineError(.syntax, at: at(mark), "nested too deeply") }
      return PipelineError(.syntax, at: at(mark), "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let names, let context):
      return PipelineError(
        .syntax, at: at(context.mark), "the key '\(names.first ?? "?")' is given twice in this mapping")
    case .reader(let problem, let offset, _, _):
      let before = text.unicodeScalars.prefix(offset ?? 0)
      let line = before.count { $0 == "\n" } + 1
      return PipelineError(.syntax, at: SourceLocation(file: file, line: line), "not YAML: \(problem)")
    default:
      return PipelineError(.syntax, at: SourceLocation(file: file), "not YAML: \(error)")
    }
  }

  /// Parses a single value of the command line: `#` begins no comment, and plain text extends to the end.
  static func parseValue(_ given: String, location: SourceLocation) throws -> LocatedValue {
    let blank = given.unicodeScalars.allSatisfy { " \t\r\n".unicodeScalars.contains($0) }
    if blank { return LocatedValue(.string(given), at: location) }
    if let first = given.utf8.first(where: { $0 > 0x20 }), first == UInt8(ascii: "&") || first == UInt8(ascii: "*") {
      throw PipelineError(
        .syntax, at: location, "'&' and '*' begin anchors and aliases of YAML; put the text in quotes")
    }
    // Every '#' is replaced by a character without a meaning in YAML while the text is parsed.
    let isMasked = given.utf8.contains(UInt8(ascii: "#"))
    guard let mask = unusedScalar(in: given) else { throw PipelineError(.syntax, at: location, "cannot be read") }
    do {
      let found = try tree(isMasked ? given.replacingScalars(["#": String(mask)]) : given, file: location.file)
      guard let found else { return LocatedValue(.string(given), at: location) }
      if case .string = found.value.content, found.isBare { return LocatedValue(.string(given), at: location) }
      var value = isMasked ? unmasked(found.value, mask) : found.value
      if found.isBare { value.written = given }
      value.location = location
      return value
    } catch let error as PipelineError {
      throw PipelineError(error.code, at: location, error.message)
    }
  }

  /// A private-use scalar that does not occur in a text, also not as an escape.
  private static func unusedScalar(in text: String) -> Unicode.Scalar? {
    let used = Set(text.unicodeScalars)
    let lower = text.lowercased()
    return (0xE000...0xF8FF).lazy.compactMap(Unicode.Scalar.init).first {
      !used.contains($0) && !lower.contains(String($0.value, radix: 16))
    }
  }

  private static func unmasked(_ value: LocatedValue, _ mask: Unicode.Scalar) -> LocatedValue {
    func plain(_ text: String) -> String { text.replacingScalars([mask: "#"]) }
    var value = value
    switch value.content {
    case .string(let text): value.content = .string(plain(text))
    case .array(let elements): value.content = .array(elements.map { unmasked($0, mask) })
    case .object(let members):
      value.content = .object(
        members.map { .init(name: plain($0.name), nameLocation: $0.nameLocation, value: unmasked($0.value, mask)) })
    default: break
    }
    return value
  }
}
