/// Parameters, or an enumeration among them, some of whose members or values had other names in earlier versions.
///
/// A pipeline file that still uses a former name gets an error with the new one. It is no alias: each thing has one
/// name, and equal pipelines have equal keys.
///
/// ```swift
/// extension Optimizer: HasFormerNames {
///   static let formerNames = ["learning-rate": "base-lr"]
/// }
/// ```
public protocol HasFormerNames {
  /// New names by former ones, both as pipeline files spell them. A new name may be a dotted path from the stage's
  /// parameters, for what has moved.
  static var formerNames: [String: String] { get }
}

extension HasFormerNames {
  /// - Throws: where the user wrote a former name, as a member of a mapping or as a value.
  static func refuseFormerNames(in value: LocatedValue, path: String) throws {
    for member in value.members ?? [] {
      guard let name = formerNames[member.name] else { continue }
      throw PipelineError(
        .unknownKey, at: member.nameLocation, "parameter '\(member.name)' is now called '\(name)'")
    }
    if let text = value.stringValue, let name = formerNames[text] {
      throw PipelineError(.badValue, at: value.location, "'\(path)': value '\(text)' is now called '\(name)'")
    }
  }
}
