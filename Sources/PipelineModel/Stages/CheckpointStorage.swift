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

/// How the leader of a team tells the others which checkpoint it resumes from.
struct CheckpointNotice {
  private let step: Int
  private let path: String
  private let sha256: Digest

  init(_ checkpoint: Checkpoint) throws {
    (step, path, sha256) = (checkpoint.step, checkpoint.path, try Files.sha256(checkpoint.path))
  }

  var bytes: [UInt8] {
    CanonicalValue.object(["step": .integer(step), "path": .string(path), "sha256": .string(sha256.hex)]).canonicalBytes
  }

  init(bytes: [UInt8]) throws {
    let value = try CanonicalValue(json: bytes)
    guard let step = value["step"]?.integerValue, let path = value["path"]?.stringValue,
      let sha256 = value["sha256"]?.stringValue.flatMap(Digest.init(hex:))
    else { preconditionFailure("CheckpointNotice: \(value)") }
    (self.step, self.path, self.sha256) = (step, path, sha256)
  }

  /// - Throws: where the file is not here, or has other bytes than the leader sees.
  func verified() throws -> Checkpoint {
    guard try Files.sha256(path) == sha256 else {
      throw PipelineError(.damaged, "\(path): its bytes are not those that the team's leader sees")
    }
    return Checkpoint(step: step, path: path)
  }
}
