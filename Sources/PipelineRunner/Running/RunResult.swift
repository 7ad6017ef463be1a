import Determinism

/// The result of a run.
public struct RunResult: Sendable {
  public struct Failure: Sendable {
    public let stage: String
    public let error: any Error
    public let message: String
    /// Whether the user's file or data is at fault.
    public var isUserData: Bool { (error as? any DiagnosableError)?.isUserData ?? false }
  }

  /// The digest over all artifacts of the pipeline; nil unless all stages were requested and are complete.
  public let root: Digest?
  public let executed: Int
  public let cached: Int
  public let failures: [Failure]
  public let wasInterrupted: Bool
  /// Highlights of the requested stages that are complete, in the order of the pipeline.
  public let highlights: [HighlightedStage]
}
