import Determinism

/// One difference between a planned execution and a record that makes their keys differ.
public struct KeyDifference: Hashable, Sendable, CustomStringConvertible {
  public enum Part: String, Sendable {
    case version, trait, parameter, seed, input
    /// The files of a source.
    case files
    /// Where the programs of a command come from.
    case environment
  }

  public let part: Part
  /// The trait, the parameter as pipeline files spell it, the input, the output of a source, or the environment; empty
  /// for a version and a seed.
  public var name: String
  /// Values as text, digests shortened; `absent` where there is none.
  public let old: String
  public let new: String
  /// What differs inside an input, where a short text can say it.
  public var detail = ""

  public var description: String {
    if part == .environment, !detail.isEmpty { return "environment '\(name)': \(detail)" }
    let subject =
      switch part {
      case .version, .seed: part.rawValue
      case .trait, .parameter, .input: "\(part.rawValue) \(name)"
      case .files: "files of \(name)"
      case .environment: name.isEmpty ? "environment" : "environment '\(name)'"
      }
    return "\(subject) was \(old), is \(new)" + (detail.isEmpty ? "" : " (\(detail))")
  }

  /// As JSON.
  package var canonical: CanonicalValue {
    var members: [String: CanonicalValue] = [
      "part": .string(part.rawValue), "name": .string(name), "old": .string(old), "new": .string(new),
    ]
    if !detail.isEmpty { members["detail"] = .string(detail) }
    return .object(members)
  }
}

extension KeyDifference {
  /// Differences that do not come from other stages: version, traits, parameters, seed.
  package static func own(from old: StageIdentity, to new: StageIdentity) -> [KeyDifference] {
    var out = [KeyDifference]()
    if old.version != new.version {
      out.append(KeyDifference(part: .version, name: "", old: "\(old.version)", new: "\(new.version)"))
    }
    for name in Set(old.traits.keys).union(new.traits.keys).sorted() where old.traits[name] != new.traits[name] {
      let isEnvironment = name == EnvironmentStore.trait
      out.append(
        KeyDifference(
          part: isEnvironment ? .environment : .trait, name: isEnvironment ? "" : name,
          old: old.traits[name].map(shortened) ?? absent,
          new: new.traits[name].map(shortened) ?? absent))
    }
    if old.parameters != new.parameters {
      for d in ValueDifference.all(between: old.parameters, and: new.parameters) {
        out.append(KeyDifference(part: .parameter, name: spelling(of: d.path, in: new), old: d.old, new: d.new))
      }
    }
    if old.seed != new.seed {
      func text(_ seed: UInt64?) -> String { seed.map(String.init) ?? "none" }
      out.append(KeyDifference(part: .seed, name: "", old: text(old.seed), new: text(new.seed)))
    }
    return out
  }

  /// Differences that come from other stages or from the disk.
  /// - Parameter isPartial: whether inputs that `new` lacks are not known yet, rather than absent.
  package static func inputs(from old: StageIdentity, to new: StageIdentity, isPartial: Bool = false) -> [KeyDifference]
  {
    var out = [KeyDifference]()
    if old.inputs != new.inputs {
      let names = isPartial ? Set(new.inputs.keys) : Set(old.inputs.keys).union(new.inputs.keys)
      for name in names.sorted() where old.inputs[name] != new.inputs[name] {
        out.append(input(name, old.inputs[name], new.inputs[name]))
      }
    }
    if old.observed != new.observed {
      for name in Set(old.observed.keys).union(new.observed.keys).sorted()
      where old.observed[name] != new.observed[name] {
        out.append(
          KeyDifference(
            part: .files, name: name, old: old.observed[name]?.short ?? absent,
            new: new.observed[name]?.short ?? absent))
      }
    }
    return out
  }

  private static let absent = "absent"

  /// A parameter as pipeline files spell it. Names of free parameters are the user's own, and need no `parameters.` in
  /// front unless a parameter of the stage has that name.
  private static func spelling(of path: String, in identity: StageIdentity) -> String {
    let parts = path.split(separator: ".").map(String.init)
    if parts.count > 1, parts[0] == FreeParameters.member,
      identity.parameters[FreeParameters.member]?.objectValue != nil
    {
      let name = parts.dropFirst().joined(separator: ".")
      return FreeParameters.namesOfCommand.contains(parts[1]) ? path : name
    }
    return parts.map { ParameterNames.fileSpelling(of: $0) }.joined(separator: ".")
  }

  private static func input(
    _ name: String, _ old: StageIdentity.Input?, _ new: StageIdentity.Input?
  ) -> KeyDifference {
    var difference = KeyDifference(part: .input, name: name, old: text(old), new: text(new))
    if case .list(let a)? = old, case .list(let b)? = new, a.count == b.count {
      let changed = a.indices.filter { a[$0] != b[$0] }
      let first = changed.prefix(3).map { "[\($0)]" }.joined(separator: ", ")
      difference.detail = "\(changed.count) of \(a.count) differ: \(first)\(changed.count > 3 ? ", ..." : "")"
    }
    return difference
  }

  /// The value of a trait; a digest is shortened.
  private static func shortened(_ text: String) -> String { Digest(hex: text)?.short ?? text }

  private static func text(_ input: StageIdentity.Input?) -> String {
    switch input {
    case nil: absent
    case .single(let digest): digest.short
    case .list(let digests): "\(digests.count) artifacts \(Digest(of: digests.map(\.hex).joined()).short)"
    }
  }
}
