import Determinism

/// Parameters that a pipeline file gives to a program: any names, any JSON values. Numbers are numbers, so that `0.10`
/// and `0.1` are one value and one key.
public struct FreeParameters: Sendable, Equatable {
  /// The member of a command's parameters that holds them.
  package static let member = "parameters"
  /// What pipeline files call the command's own parameters: in an override these names mean those.
  package static let namesOfCommand: Set<String> = [
    "run", "outputs", "environment", "parameters", "places", "stdin", "stdout", "tools", "version", "metrics",
    "history", "random", "seed",
  ]

  public var values: [String: CanonicalValue]

  public init(_ values: [String: CanonicalValue] = [:]) { self.values = values }
}

extension FreeParameters: Codable {
  public init(from decoder: any Decoder) throws {
    guard let values = try CanonicalValue(from: decoder).objectValue else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "expected a mapping of parameters"))
    }
    self.values = values
  }

  public func encode(to encoder: any Encoder) throws { try CanonicalValue.object(values).encode(to: encoder) }
}

extension FreeParameters {
  /// - Throws: where an override names a parameter that is not there: it would be a new one, which no program reads.
  package static func requireKnown(_ change: LocatedValue, in values: LocatedValue, path: String = "") throws {
    for member in change.members ?? [] {
      guard let known = values.members else { return }
      let name = path.isEmpty ? member.name : "\(path).\(member.name)"
      guard let value = values[member.name] else {
        let hint = Suggestion.text(for: member.name, among: known.map(\.name))
        throw PipelineError(.unknownKey, at: member.nameLocation, "no parameter '\(name)'\(hint)")
      }
      try requireKnown(member.value, in: value, path: name)
    }
  }
}
