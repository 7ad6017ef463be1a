import Determinism

/// A graph of stages that fit together: every reference leads to an output of the right kind, parameters have their
/// types, and nothing needs itself.
public struct Pipeline: Sendable {
  /// Where an input comes from.
  enum InputBinding: Sendable, Hashable {
    /// An output of a stage that runs once.
    case output(stage: Int, name: String)
    /// All instances of a fanned-out stage, in order.
    case list(stage: Int, name: String)
    /// The same element's instance of a stage that is fanned out over the same array.
    case sibling(stage: Int, name: String)
    /// The element itself.
    case element
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
    /// Stages that read from this one, rising.
    var dependents: [Int] = []
    /// Stages this one reads from, rising.
    var dependencies: [Int] = []
  }

  public let name: String
  public let file: String
  /// In an order in which every stage comes after what it needs.
  let stages: [StageNode]

  public var stageNames: [String] { stages.map(\.name) }

  /// Indices of the named stages and of all they need, rising. No names: all stages.
  /// - Throws: for a name that no stage has.
  func closure(of names: [String]) throws -> [Int] {
    var wanted = [Bool](repeating: names.isEmpty, count: stages.count)
    for name in names {
      guard let i = stages.firstIndex(where: { $0.name == name }) else {
        let hint = Suggestion.text(for: name, among: stageNames)
        throw PipelineError(.unknownStage, at: SourceLocation(file: file), "no stage '\(name)'\(hint)")
      }
      wanted[i] = true
    }
    for i in stages.indices.reversed() where wanted[i] {
      for d in stages[i].dependencies { wanted[d] = true }
    }
    return stages.indices.filter { wanted[$0] }
  }
}
