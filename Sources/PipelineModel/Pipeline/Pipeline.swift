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
    /// Instances of a grid that were named, in order; one artifact or a list.
    case picked(stage: Int, slots: [Int], name: String, isList: Bool)
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
      case .picked(let s, _, let n, _): (s, n)
      case .element: nil
      }
    }
    package var stage: Int? { origin?.stage }

    /// Whether the stage must come before the reader; else it comes round by round with it.
    package var isForward: Bool {
      switch self {
      case .output, .list, .sibling, .picked: true
      case .earlier, .previous, .element: false
      }
    }

    /// Whether it yields a list, of any length.
    package var isList: Bool {
      switch self {
      case .list, .earlier: true
      case .picked(_, _, _, let isList): isList
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
      case .picked(let s, let slots, let n, let isList):
        .picked(stage: places[s], slots: slots, name: n, isList: isList)
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
    /// Of a grid, that of the first element.
    package var prepared: PreparedStage
    /// The one this stage uses; in the key only of kinds that draw random numbers.
    package var seed: UInt64
    /// By the name of the port.
    package var inputs: [String: InputBinding]
    /// The array whose elements make the instances.
    package var forEach: InputBinding?
    /// Values of the file whose elements make the instances.
    package var grid: PipelineDescription.Grid?
    /// Of a grid whose instances differ in more than their names: each of them.
    package var variants: [Variant] = []
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
      forEach: InputBinding? = nil, grid: PipelineDescription.Grid? = nil, variants: [Variant] = [],
      loop: Loop? = nil, resources: Resources = Resources(),
      environment: EnvironmentDescription? = nil, rules: ExecutionRules = ExecutionRules(), dependencies: [Int] = []
    ) {
      self.name = name
      self.kind = kind
      self.prepared = prepared
      self.seed = seed
      self.inputs = inputs
      self.forEach = forEach
      self.grid = grid
      self.variants = variants
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
    package var isFannedOut: Bool { forEach != nil || grid != nil }
    package var isOneOfMany: Bool { isFannedOut || loop != nil }
    package var bindings: [InputBinding] { inputs.values + (forEach.map { [$0] } ?? []) }

    /// What one instance of a grid does not share with the others.
    package struct Variant: Sendable {
      package let prepared: PreparedStage
      package let seed: UInt64

      package init(prepared: PreparedStage, seed: UInt64) {
        self.prepared = prepared
        self.seed = seed
      }
    }

    package func variant(_ slot: Int) -> Variant {
      variants.isEmpty ? Variant(prepared: prepared, seed: seed) : variants[slot]
    }

    /// The stage as if it had one instance alone.
    package func alone(_ slot: Int) -> StageNode {
      var node = self
      (node.prepared, node.seed) = (variant(slot).prepared, variant(slot).seed)
      node.variants = []
      return node
    }

    /// `judge`, `judge[7]`, of a loop `propose[2]` and `judge[2,7]`, of a grid `train[seed=2]`.
    package func instanceName(round: Int, slot: Int) -> String {
      if let grid {
        let label = grid.elements[slot].label
        return loop == nil ? "\(name)[\(label)]" : "\(name)[\(round),\(label)]"
      }
      return switch (loop, forEach) {
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

  /// What people should know of the programs of some stages, each thing once.
  package func notices(of wanted: [Int], on host: StageHost) throws -> [String] {
    var notices = [String]()
    for stage in wanted {
      for notice in try stages[stage].tools(on: host)?.notices ?? [] where !notices.contains(notice) {
        notices.append(notice)
      }
    }
    return notices
  }

  /// What people should know before some stages are executed, each thing once.
  /// - Throws: where one of them may not be executed under the policy.
  package func notices(of wanted: [Int], under policy: SandboxPolicy) throws -> [String] {
    try PreparedStage.notices(of: wanted.map { stages[$0].prepared }, under: policy)
  }
}
