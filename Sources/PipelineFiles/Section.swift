import Determinism
import PipelineModel

/// A mapping of a pipeline file with a fixed set of keys: an unknown key is an error that suggests the nearest known one.
struct Section {
  let value: LocatedValue
  let title: String

  /// - Parameters:
  ///   - title: a description of the mapping for messages: `stage 'train'`.
  ///   - formerKeys: the present names of keys that were renamed, by their former names.
  init(_ value: LocatedValue, title: String, keys table: PipelineKeyTable, formerKeys: [String: String] = [:]) throws {
    let keys = table.names
    self.value = value
    self.title = title
    for member in try Section.mapping(value, title: title)
    where !keys.contains(where: { $0.hasSameBytes(as: member.name) }) {
      if let name = formerKeys[member.name] {
        throw PipelineError(
          .unknownKey, at: member.nameLocation, "\(title): the key '\(member.name)' is now called '\(name)'")
      }
      let hint = Suggestion.text(for: member.name, among: keys)
      throw PipelineError(.unknownKey, at: member.nameLocation, "\(title): unknown key '\(member.name)'\(hint)")
    }
  }

  subscript(name: String) -> LocatedValue? { value[name] }

  func text(_ name: String) throws -> LocatedValue? {
    guard let value = self[name] else { return nil }
    guard value.stringValue != nil else {
      let advice = value.written == nil ? "" : "; put it in quotes"
      throw PipelineError(
        .wrongType, at: value.location, "'\(name)': expected text, found \(value.kindDescription)\(advice)")
    }
    return value
  }

  func requiredText(_ name: String) throws -> LocatedValue {
    guard let value = try text(name) else {
      throw PipelineError(.missingKey, at: value.location, "\(title): the key '\(name)' is missing")
    }
    return value
  }

  func seed() throws -> UInt64? {
    guard let value = self["seed"] else { return nil }
    guard case .integer(let seed) = value.content, seed >= 0 else {
      throw PipelineError(
        .wrongType, at: value.location, "'seed': expected a whole number from 0, found \(value.kindDescription)")
    }
    return UInt64(seed)
  }

  /// The members of a value that must be a mapping; an empty value counts as an empty mapping.
  static func mapping(_ value: LocatedValue, title: String) throws -> [LocatedValue.Member] {
    if case .null = value.content { return [] }
    guard let members = value.members else {
      throw PipelineError(
        .wrongType, at: value.location, "\(title): expected a mapping, found \(value.kindDescription)")
    }
    return members
  }
}
