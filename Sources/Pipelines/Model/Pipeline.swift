import Determinism

/// A graph of stages that fit together: every reference leads to an output of the right kind, parameters have their
/// types, and nothing needs itself but through the earlier rounds of a loop.
public struct Pipeline: Sendable {
  /// Where an input comes from.
  enum InputBinding: Sendable, Hashable {
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
    var origin: (stage: Int, output: String)? {
      switch self {
      case .output(let s, let n), .list(let s, let n), .sibling(let s, let n), .earlier(let s, let n),
        .previous(let s, let n):
        (s, n)
      case .element: nil
      }
    }
    var stage: Int? { origin?.stage }

    /// Whether the stage must come before the reader; else it comes round by round with it.
    var isForward: Bool {
      switch self {
      case .output, .list, .sibling: true
      case .earlier, .previous, .element: false
      }
    }

    /// Whether it yields a list, of any length.
    var isList: Bool {
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

  /// Stages that run round by round, each round after the results of the one before.
  struct Loop: Sendable, Hashable {
    /// The name of the stage that heads it.
    let name: String
    let rounds: Int
  }

  struct StageNode: Sendable {
    var name: String
    var kind: StageKind
    var prepared: PreparedStage
    /// The one this stage uses; in the key only of kinds that draw random numbers.
    var seed: UInt64
    /// By the name of the port.
    var inputs: [String: InputBinding]
    /// The array whose elements make the instances.
    var forEach: InputBinding?
    /// The loop it takes part in.
    var loop: Loop?
    /// Stages that read from this one, rising.
    var dependents: [Int] = []
    /// Stages this one reads from, rising, without those that it reads from in earlier rounds only.
    var dependencies: [Int] = []

    /// 1 outside of loops.
    var rounds: Int { loop?.rounds ?? 1 }
    var isOneOfMany: Bool { forEach != nil || loop != nil }
    var bindings: [InputBinding] { inputs.values + (forEach.map { [$0] } ?? []) }

    /// `judge`, `judge[7]`, of a loop `propose[2]` and `judge[2,7]`.
    func instanceName(round: Int, slot: Int) -> String {
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
  let stages: [StageNode]

  public var stageNames: [String] { stages.map(\.name) }

  /// The rounds of a stage that a reader takes without saying `earlier` or `previous`: in the same loop the reader's
  /// own round, else all.
  func roundsRead(of stage: Int, by reader: Int, _ round: Int) -> Range<Int> {
    let loop = stages[stage].loop
    return loop != nil && loop == stages[reader].loop ? round..<round + 1 : 0..<stages[stage].rounds
  }

  /// The rounds of a reader that take a stage's round so.
  func roundsReading(_ stage: Int, _ round: Int, by reader: Int) -> Range<Int> {
    roundsRead(of: reader, by: stage, round)
  }
}
