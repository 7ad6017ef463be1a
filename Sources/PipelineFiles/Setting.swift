import Determinism
import PipelineModel

/// An argument of `--set`: a parameter of a stage, a value under `let`, or a variable.
public enum Setting: Sendable {
  /// `stage.parameter=value`; the value is YAML on one line, in which `#` begins no comment and plain text is taken
  /// literally. Longer paths address members of mappings.
  case parameter(stage: String, value: LocatedValue)
  /// `let.name=value`.
  case binding(LocatedValue)
  /// `COCO=/path`: a variable that a source reads.
  case variable(name: String, value: String)

  /// Parses an argument of `--set`.
  /// - Throws: `PipelineError` where the text has none of these forms.
  public init(parsing text: String) throws {
    let location = SourceLocation(file: "--set \(text.clipped(to: 200))")
    guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else {
      throw PipelineError(.syntax, at: location, "expected stage.parameter=value, or NAME=value for a variable")
    }
    let path = String(decoding: text.utf8[..<equals], as: UTF8.self).splitBytes(at: UInt8(ascii: "."))
    let given = String(decoding: text.utf8[equals...].dropFirst(), as: UTF8.self)
    guard path.allSatisfy({ !$0.isEmpty }) else {
      throw PipelineError(.syntax, at: location, "a name is empty; expected stage.parameter=value")
    }
    if path.count == 1 {
      self = .variable(name: path[0], value: given)
      return
    }
    var value = try YAMLTree.parseValue(given, location: location)
    for name in path.dropFirst().reversed() {
      value = LocatedValue(
        .object([LocatedValue.Member(name: name, nameLocation: location, value: value)]), at: location)
    }
    self = path[0].hasSameBytes(as: "let") ? .binding(value) : .parameter(stage: path[0], value: value)
  }
}
