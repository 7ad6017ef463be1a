import Determinism
import PipelineModel

/// One past run, as its journal tells.
public struct RunSummary: Sendable {
  public enum End: String, Sendable {
    case finished, failed, interrupted
    /// The journal ends without an end: the runner was killed, or runs still.
    case open
  }

  public struct Step: Sendable {
    public enum State: String, Sendable { case cached, executed, failed, interrupted, running, submitted }

    public let stage: String
    public let key: Digest
    public internal(set) var state: State
    /// ISO 8601, UTC.
    public let started: String
    public internal(set) var seconds: Double?
    public internal(set) var outputs: [String: Artifact] = [:]
    /// Why it failed.
    public internal(set) var message: String?
    /// Of a stage that a cluster executed: the job that had it last, and the file with what that printed.
    public internal(set) var job: String?
    public internal(set) var log: String?
  }

  public let id: String
  public internal(set) var pipeline = ""
  /// Nil of a run by a version of the program that noted less.
  public internal(set) var details: RunDetails?
  /// Sorted.
  public internal(set) var tags: [String] = []
  /// ISO 8601, UTC.
  public internal(set) var started = ""
  public internal(set) var seconds: Double?
  public internal(set) var root: Digest?
  public internal(set) var end = End.open
  /// Cached ones first where those were known first; in the order in which they began.
  public internal(set) var steps: [Step] = []
}

extension RunSummary {
  /// As JSON.
  public var canonical: CanonicalValue {
    [
      "run": .string(id), "pipeline": .string(pipeline), "started": .string(started),
      "details": details?.canonical ?? .null, "tags": .array(tags.map { .string($0) }),
      "seconds": seconds.map { .number($0) } ?? .null, "root": root.map { .string($0.hex) } ?? .null,
      "end": .string(end.rawValue),
      "stages": .array(
        steps.map { step in
          [
            "stage": .string(step.stage), "key": .string(step.key.hex), "state": .string(step.state.rawValue),
            "started": .string(step.started), "seconds": step.seconds.map { .number($0) } ?? .null,
            "outputs": .object(step.outputs.mapValues(\.canonical)),
            "message": step.message.map { .string($0) } ?? .null,
            "job": step.job.map { .string($0) } ?? .null, "log": step.log.map { .string($0) } ?? .null,
          ]
        }),
    ]
  }
}
