import Determinism
import PipelineModel
import Yams

/// Converts the parser's nodes to located values.
struct YAMLConverter {
  let file: String
  private var count = 0

  init(file: String) { self.file = file }

  mutating func convert(_ node: Node, depth: Int) throws -> LocatedValue {
    let place = location(node)
    count += 1
    guard count <= YAMLTree.nodeLimit, depth <= 64 else {
      throw PipelineError(.syntax, at: place, "too many values or nested too deeply; do aliases expand exponentially?")
    }
    switch node {
    case .scalar(let scalar): return try value(of: scalar, at: place)
    case .sequence(let sequence):
      try refuse(tag: sequence.tag, unless: [.implicit, .seq, YAMLConverter.nonSpecific], at: place)
      return LocatedValue(.array(try sequence.map { try convert($0, depth: depth + 1) }), at: place)
    case .mapping(let mapping):
      try refuse(tag: mapping.tag, unless: [.implicit, .map, YAMLConverter.nonSpecific], at: place)
      return LocatedValue(.object(try members(of: mapping, depth: depth)), at: place)
    case .alias:
      throw PipelineError(.syntax, at: place, "undefined alias")
    }
  }

  private mutating func members(of mapping: Node.Mapping, depth: Int) throws -> [LocatedValue.Member] {
    var members = [LocatedValue.Member]()
    // Keyed by Unicode's equality, on purpose. The parser also distinguishes keys with the same text, such as 1 and "1".
    var seen = [String: String]()
    for (key, value) in mapping {
      let place = location(key)
      guard case .scalar(let scalar) = key else {
        throw PipelineError(.syntax, at: place, "keys must be plain words")
      }
      let name = scalar.string
      if name == "<<" {
        throw PipelineError(
          .unknownKey, at: place, "merge keys are not supported; give shared values a name under 'let'")
      }
      if let other = seen.updateValue(name, forKey: name) {
        let message =
          other.hasSameBytes(as: name)
          ? "the key '\(name)' is given twice in this mapping"
          : "the keys '\(other.escapedBytes)' and '\(name.escapedBytes)' of this mapping are canonically equivalent in Unicode"
        throw PipelineError(.syntax, at: place, message)
      }
      members.append(
        LocatedValue.Member(name: name, nameLocation: place, value: try convert(value, depth: depth + 1)))
    }
    return members
  }

  private func location(_ node: Node) -> SourceLocation {
    SourceLocation(file: file, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0)
  }

  // MARK: Scalars

  /// Whether a scalar has neither quotes nor a tag.
  static func isBare(_ scalar: Node.Scalar) -> Bool { isPlain(scalar) && name(of: scalar.tag) == .implicit }

  private static func name(of tag: Tag) -> Tag.Name { Tag.Name(rawValue: tag.description) }

  /// The non-specific tag `!`: a scalar is text, collections are what they look like.
  private static let nonSpecific = Tag.Name(rawValue: "!")

  private static func isPlain(_ scalar: Node.Scalar) -> Bool { scalar.style == .plain || scalar.style == .any }

  private func value(of scalar: Node.Scalar, at place: SourceLocation) throws -> LocatedValue {
    let text = scalar.string
    // Quoted scalars and those tagged as text are text.
    if !YAMLConverter.isPlain(scalar) || [.str, YAMLConverter.nonSpecific].contains(YAMLConverter.name(of: scalar.tag))
    {
      try refuse(tag: scalar.tag, unless: [.implicit, .str, YAMLConverter.nonSpecific], at: place)
      return LocatedValue(.string(text), at: place)
    }
    let content = YAMLConverter.read(text)
    switch content {
    case .null: try refuse(tag: scalar.tag, unless: [.implicit, .null], at: place)
    case .bool: try refuse(tag: scalar.tag, unless: [.implicit, .bool], at: place)
    case .integer: try refuse(tag: scalar.tag, unless: [.implicit, .int, .float], at: place)
    case .number: try refuse(tag: scalar.tag, unless: [.implicit, .float], at: place)
    default: try refuse(tag: scalar.tag, unless: [.implicit], at: place)
    }
    if case .string = content { return LocatedValue(content, at: place) }
    return LocatedValue(content, at: place, written: text)
  }

  /// Refuses a tag that does not match the value.
  private func refuse(tag: Tag, unless known: [Tag.Name], at place: SourceLocation) throws {
    guard !known.contains(YAMLConverter.name(of: tag)) else { return }
    throw PipelineError(.syntax, at: place, "the tag '\(tag)' does not apply to this value; remove it")
  }

  /// The value of a plain scalar.
  private static func read(_ text: String) -> LocatedValue.Content {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    default: break
    }
    guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first) else { return .string(text) }
    let digits = first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
    if let integer = Int(digits), digits.utf8.first != UInt8(ascii: "+") { return .integer(integer) }
    guard text.utf8.allSatisfy({ "+-.0123456789eE".utf8.contains($0) }), let number = Double(digits), number.isFinite
    else { return .string(text) }
    // A number that underflows to zero stays text, which a number's reader will refuse.
    let mantissa = text.utf8.prefix { $0 | 0x20 != UInt8(ascii: "e") }
    if number == 0, mantissa.contains(where: { (0x31...0x39).contains($0) }) { return .string(text) }
    return .number(number)
  }
}
