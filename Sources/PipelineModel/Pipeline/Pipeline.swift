import Determinism

/// A checked graph of stages: every reference leads to an output of the right kind, parameters have their types, and no
/// stage depends on itself except through earlier rounds of a loop.
public struct Pipeline: Sendable {
  /// Where an input comes from.
  package enum InputBinding: Sendable, Hashable {
    /// An output of a stage that runs once; of one in the reader's loop, that of the same round.
    case output(stage: Int, name: String)
    /// All instances of a stage, in order; of one in the reader's loop, those of the same round.
    case list(stage: Int, name: String)
    /// The same element's instance of a stage that is fanned out over the same array.
    case sibling(stage: Int, name: String)
    /// All instances of all earlier rounds of the reader's loop.
    case earlier(stage: Int, name: String)
    /// The round before; nothing in the first round.
    case previous(stage: Int, name: String)
    /// The element itself.
    case element

    /// The stage and its output; nil for the element.
    package var origin: (stage: Int, output: String)? {
      switch self {
      case .output(let s, let n), .list(let s, let n), .sibling(let s, let n), .earlier(let s, let n),
        .previous(let s, let n):
        (s, n)
      case .element: nil
      }
    }
    package var stage: Int? { origin?.stage }

    /// Whether the stage must come before the reader; else it comes round by round with it.
    package var isForward: Bool {
      switch self {
      case .output, .list, .sibling: true
      case .earlier, .previous, .element: false
      }
    }

    /// Whether it yields a list, of any length.
    package var isList: Bool {
      switch self {
      case .list, .earlier: true
      case .output, .sibling, .previous, .element: false
      }
    }

    func renumbered(_ places: [Int]) -> InputBinding {
      switch self {
      case .output(let s, let n): .output(stage: places[s], name: n)
      case .list(let s, let n): .list(stage: places[s], name: n)
      case .sibling(let s, let n): .sibling(stage: places[s], name: n)
      case .earlier(let s, let n): .earlier(stage: places[s], name: n)
      case .previous(let s, let n): .previous(stage: places[s], name: n)
      case .element: .element
      }
    }
  }

  /// Stages that run in rounds, each round after the previous one.
  package struct Loop: Sendable, Hashable {
    /// The name of the stage that defines it.
    package let name: String
    package let rounds: Int
  }

  package struct StageNode: Sendable {
    package var name: String
    package var kind: StageKind
    package var prepared: PreparedStage
    /// The one this stage uses; in the key only of kinds that draw random numbers.
    package var seed: UInt64
    /// By the name of the port.
    package var inputs: [String: InputBinding]
    /// The array whose elements make the instances.
    package var forEach: InputBinding?
    /// The loop it takes part in.
    package var loop: Loop?
    /// What each instance asks of its machine.
    package var resources: Resources
    /// Where its programs come from.
    package var environment: EnvironmentDescription?
    package var rules: ExecutionRules
    /// Stages that read from this one, rising.
    package var dependents: [Int] = []
    /// Stages this one reads from, rising, without those that it reads from in earlier rounds only.
    package var dependencies: [Int] = []

    package init(
      name: String, kind: StageKind, prepared: PreparedStage, seed: UInt64, inputs: [String: InputBinding],
      forEach: InputBinding? = nil, loop: Loop? = nil, resources: Resources = Resources(),
      environment: EnvironmentDescription? = nil, rules: ExecutionRules = ExecutionRules(), dependencies: [Int] = []
    ) {
      self.name = name
      self.kind = kind
      self.prepared = prepared
      self.seed = seed
      self.inputs = inputs
      self.forEach = forEach
      self.loop = loop
      self.resources = resources
      self.environment = environment
      self.rules = rules
      self.dependencies = dependencies
    }

    /// What its programs are; nil of a stage that starts none.
    /// - Throws: code `missingTool`.
    package func tools(on host: StageHost) throws -> ToolIdentity? {
      try prepared.tools?.identity(on: host, stage: name, environment: environment)
    }

    /// 1 outside of loops.
    package var rounds: Int { loop?.rounds ?? 1 }
    package var isOneOfMany: Bool { forEach != nil || loop != nil }
    package var bindings: [InputBinding] { inputs.values + (forEach.map { [$0] } ?? []) }

    /// `judge`, `judge[7]`, of a loop `propose[2]` and `judge[2,7]`.
    package func instanceName(round: Int, slot: Int) -> String {
      switch (loop, forEach) {
      case (nil, nil): name
      case (nil, .some): "\(name)[\(slot)]"
      case (.some, nil): "\(name)[\(round)]"
      case (.some, .some): "\(name)[\(round),\(slot)]"
      }
    }
  }

  public let name: String
  public let file: String
  /// In an order in which every stage comes after what it needs.
  package let stages: [StageNode]

  public var stageNames: [String] { stages.map(\.name) }

  /// The rounds of a stage that a reader takes without saying `earlier` or `previous`: in the same loop the reader's
  /// own round, else all.
  package func roundsRead(of stage: Int, by reader: Int, _ round: Int) -> Range<Int> {
    let loop = stages[stage].loop
    return loop != nil && loop == stages[reader].loop ? round..<round + 1 : 0..<stages[stage].rounds
  }

  /// The rounds of a reader that take a stage's round so.
  package func roundsReading(_ stage: Int, _ round: Int, by reader: Int) -> Range<Int> {
    roundsRead(of: reader, by: stage, round)
  }

  /// What people should know before some stages are executed, each thing once.
  /// - Throws: where one of them may not be executed under the policy.
  package func notices(of wanted: [Int], under policy: SandboxPolicy) throws -> [String] {
    try PreparedStage.notices(of: wanted.map { stages[$0].prepared }, under: policy)
  }
}
