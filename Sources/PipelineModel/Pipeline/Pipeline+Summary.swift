import Determinism

extension Pipeline {
  /// A stage as its file describes it, for readers of a pipeline that do not run it.
  public struct StageSummary: Sendable {
    public let name: String
    public let kind: StageKind
    /// The complete set.
    public let parameters: CanonicalValue
    /// The stage and output that a port reads; ports that take the element itself are left out.
    public let inputs: [String: (stage: String, output: String)]
    /// The array that it is fanned out over.
    public let forEach: (stage: String, output: String)?
    /// 1 outside of loops.
    public let rounds: Int
    /// The `Stage` or `Source` with these parameters; nil for commands and files.
    public let subject: (any Sendable)?
  }

  /// All stages, each after what it needs.
  public var summaries: [StageSummary] {
    func named(_ binding: InputBinding) -> (stage: String, output: String)? {
      binding.origin.map { (stages[$0.stage].name, $0.output) }
    }
    return stages.map { node in
      StageSummary(
        name: node.name, kind: node.kind, parameters: node.prepared.parameters,
        inputs: node.inputs.compactMapValues(named), forEach: node.forEach.flatMap(named), rounds: node.rounds,
        subject: node.prepared.subject)
    }
  }
}
