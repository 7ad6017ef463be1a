import Determinism

/// How a run was asked for, and where it ran: what its journal begins with. Nothing of it is in a key.
public struct RunDetails: Sendable, Equatable {
  /// What its user calls it; several runs may have one name.
  public var name: String?
  /// The words of the command line.
  public var arguments: [String] = []
  /// Stages that were asked for; none means all.
  public var stages: [String] = []
  public var profile: String?
  public var fidelity: String?
  public var seed: UInt64?
  /// Parameters that were set on the command line, as `name=value`.
  public var settings: [String] = []
  /// The version of the program, and the digest that tells its builds apart.
  public var program = ""
  /// Of the checkout that the pipeline file lies in.
  public var commit: String?
  /// What environments of the pipeline were resolved to, by name.
  public var environments: [String: CanonicalValue] = [:]
  /// Processor, instruction set, threads, memory.
  public var machine: [String: CanonicalValue] = [:]

  public init() {}

  /// Whether the same was asked of the same pipeline.
  public func asksForTheSame(as other: RunDetails) -> Bool {
    stages == other.stages && profile == other.profile && fidelity == other.fidelity && seed == other.seed
      && settings == other.settings
  }
}

extension RunDetails {
  package var canonical: CanonicalValue {
    func list(_ texts: [String]) -> CanonicalValue { .array(texts.map { .string($0) }) }
    func optional(_ text: String?) -> CanonicalValue { text.map { .string($0) } ?? .null }
    return [
      "name": optional(name), "arguments": list(arguments), "stages": list(stages), "profile": optional(profile),
      "fidelity": optional(fidelity),
      // As text: numbers of JSON have 64 bits with a sign.
      "seed": optional(seed.map { String($0) }), "settings": list(settings), "program": .string(program),
      "commit": optional(commit), "environments": .object(environments), "machine": .object(machine),
    ]
  }

  /// Reads what is there: journals of other versions may hold less, or more.
  package init(canonical value: CanonicalValue) {
    func list(_ name: String) -> [String] { (value[name]?.arrayValue ?? []).compactMap(\.stringValue) }
    name = value["name"]?.stringValue
    arguments = list("arguments")
    stages = list("stages")
    profile = value["profile"]?.stringValue
    fidelity = value["fidelity"]?.stringValue
    seed = value["seed"]?.stringValue.flatMap { UInt64($0) }
    settings = list("settings")
    program = value["program"]?.stringValue ?? ""
    commit = value["commit"]?.stringValue
    environments = value["environments"]?.objectValue ?? [:]
    machine = value["machine"]?.objectValue ?? [:]
  }
}
