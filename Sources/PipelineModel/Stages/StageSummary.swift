import Determinism

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
  /// How many values of the pipeline file it is fanned out over; nil where it is not.
  public let elements: Int?
  /// The `Stage` or `Source` with these parameters; nil for commands and files.
  public let subject: (any Sendable)?
}
