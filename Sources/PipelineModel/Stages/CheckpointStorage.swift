import Determinism

/// Partial state of a stage that has not ended.
public struct Checkpoint: Sendable {
  /// Number of completed steps.
  public let step: Int
  public let path: String

  package init(step: Int, path: String) {
    self.step = step
    self.path = path
  }
}

/// Where an execution keeps partial state.
package protocol CheckpointStorage: Sendable {
  /// The newest sound checkpoint whose content `accepts` takes for its own, with the digests noted until then.
  func latest(where accepts: (Checkpoint) -> Bool) throws -> (Checkpoint, Trace)?
  /// Keeps a checkpoint. `write` creates the file at the path it gets.
  func save(step: Int, of total: Int, trace: Trace, _ write: (_ path: String) throws -> Void) throws
}
