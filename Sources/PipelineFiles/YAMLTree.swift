import Determinism
import Foundation
import Pipelines
import Yams

/// YAML text as values with places, read by the core schema of YAML 1.2: `yes` and `on` are text, `1e-4` a number.
enum YAMLTree {
  /// Larger files than this are no pipelines.
  static let sizeLimit = 1 << 20
  static let nodeLimit = 100_000

  /// - Throws: `PipelineError` with the place of what is wrong.
  static func parse(_ text: String, file: String) throws -> LocatedValue {
    let start = SourceLocation(file: file)
    guard text.utf8.count <= sizeLimit else {
      throw PipelineError(.syntax, at: start, "larger than \(sizeLimit >> 20) MiB; is this a pipeline?")
    }
    try YAMLScan.refuseBombs(in: text, file: file)
    // The parser calls itself for every level, and so does what frees its tree.
    return try onDeepStack {
      let root: Node?
      do {
        root = try Parser(yaml: text, encoding: .utf8).singleRoot()
      } catch let error as YamlError {
        throw translate(error, text: text, file: file)
      }
      guard let root else { throw PipelineError(.syntax, at: start, "the file is empty") }
      var converter = Converter(file: file)
      return try converter.convert(root, depth: 0)
    }
  }

  private static func translate(_ error: YamlError, text: String, file: String) -> PipelineError {
    func at(_ mark: Mark) -> SourceLocation { SourceLocation(file: file, line: mark.line, column: mark.column) }
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      if problem.hasPrefix("Maximum nesting level") { return PipelineError(.syntax, at: at(mark), "nested too deep") }
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

  /// A single value, as the command line gives it.
  static func parseValue(_ text: String, location: SourceLocation) throws -> LocatedValue {
    if text.isEmpty { return LocatedValue(.string(""), at: location) }
    do {
      var value = try parse(text, file: location.file)
      value.location = location
      return value
    } catch let error as PipelineError {
      throw PipelineError(error.code, at: location, error.message)
    }
  }

  private struct Converter {
    let file: String
    var count = 0

    mutating func convert(_ node: Node, depth: Int) throws -> LocatedValue {
      let place = location(node)
      count += 1
      guard count <= nodeLimit, depth <= 64 else {
        throw PipelineError(.syntax, at: place, "too many values or too deep; do aliases multiply here?")
      }
      switch node {
      case .scalar(let scalar):
        return LocatedValue(YAMLTree.resolve(scalar), at: place)
      case .sequence(let sequence):
        return LocatedValue(.array(try sequence.map { try convert($0, depth: depth + 1) }), at: place)
      case .mapping(let mapping):
        var members = [LocatedValue.Member]()
        for (key, value) in mapping {
          guard case .scalar(let scalar) = key else {
            throw PipelineError(.syntax, at: location(key), "keys must be plain words")
          }
          let name = scalar.string
          if name == "<<" {
            throw PipelineError(
              .unknownKey, at: location(key), "merge keys are not supported; give shared values a name under 'let'")
          }
          members.append(
            LocatedValue.Member(
              name: name, nameLocation: location(key), value: try convert(value, depth: depth + 1)))
        }
        return LocatedValue(.object(members), at: place)
      case .alias:
        throw PipelineError(.syntax, at: place, "this alias leads nowhere")
      }
    }

    private func location(_ node: Node) -> SourceLocation {
      SourceLocation(file: file, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0)
    }
  }

  private static func resolve(_ scalar: Node.Scalar) -> LocatedValue.Content {
    let text = scalar.string
    guard scalar.style == .plain || scalar.style == .any else { return .string(text) }
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: break
    }
    guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first) else { return .string(text) }
    let digits = text.hasPrefix("+") ? text.dropFirst() : text[...]
    if let integer = Int(digits), digits.first != "+" { return .integer(integer) }
    if text.utf8.allSatisfy({ "+-.0123456789eE".utf8.contains($0) }), let number = Double(digits), number.isFinite {
      return .number(number)
    }
    return .string(text)
  }
}
