import Determinism

/// What a run came to.
public struct RunResult: Sendable {
  public struct Failure: Sendable {
    public let stage: String
    public let error: any Error
    public let message: String
    /// Whether the user's file or data is at fault.
    public var isUserData: Bool { (error as? any DiagnosableError)?.isUserData ?? false }
  }

  /// Over all artifacts of the pipeline, where all stages were asked for and are there now.
  public let root: Digest?
  public let executed: Int
  public let cached: Int
  public let failures: [Failure]
  public let wasInterrupted: Bool
  /// Numbers that people want to see, of the stages wanted that are complete, in the order of the pipeline.
  public let highlights: [HighlightedStage]
}
