import ArtifactStore
import Determinism
import PipelineModel

/// An event of a run, for displays, journals and JSON output.
public enum RunEvent: Sendable {
  case runStarted(run: String, pipeline: String, details: RunDetails)
  /// A source is being read for the first time; in bytes.
  case hashing(stage: String, done: Int, of: Int, detail: String)
  case cached(stage: String, key: Digest)
  /// Another runner on the same store is executing it.
  case waiting(stage: String, key: Digest)
  /// A cluster has it; its job, and the file that its output goes to.
  case submitted(stage: String, key: Digest, job: String, log: String)
  /// What the cluster says of its job: `PENDING`, `RUNNING`, and why.
  case queued(stage: String, job: String, state: String, reason: String)
  case started(stage: String, key: Digest, threads: Int)
  case resumed(stage: String, step: Int)
  case progress(stage: String, step: Int, of: Int, unit: String, detail: String)
  /// Numbers at a step, or their means over the steps since the last such event.
  /// The last line that a stage's program printed; now and then.
  case printed(stage: String, line: String)
  case measured(stage: String, step: Int, unit: String, values: [(name: String, value: Double)])
  case checkpoint(stage: String, step: Int, of: Int)
  case log(stage: String, text: String)
  case finished(stage: String, key: Digest, outputs: [String: Artifact], seconds: Double)
  case failed(stage: String, key: Digest, message: String)
  case interrupted(stage: String)
  /// A number that the stage's kind wants people to see; of a fanned-out stage the smallest and the largest.
  case highlight(stage: String, name: String, least: Double, most: Double, count: Int)
  /// A message about the run as a whole.
  case notice(String)
  case runFinished(root: Digest?, executed: Int, cached: Int, seconds: Double, wasInterrupted: Bool)

  /// The event as one JSON object.
  public var canonical: CanonicalValue {
    func event(_ name: String, _ members: [String: CanonicalValue]) -> CanonicalValue {
      .object(members.merging(["event": .string(name)]) { a, _ in a })
    }
    func rounded(_ seconds: Double) -> CanonicalValue { .measure((seconds * 1000).rounded() / 1000) }
    return switch self {
    case .runStarted(let run, let pipeline, let details):
      event(
        "run-started", ["run": .string(run), "pipeline": .string(pipeline), "details": details.canonical])
    case .hashing(let stage, let done, let total, let detail):
      event(
        "hashing",
        ["stage": .string(stage), "done": .integer(done), "of": .integer(total), "detail": .string(detail)])
    case .cached(let stage, let key): event("cached", ["stage": .string(stage), "key": .string(key.hex)])
    case .waiting(let stage, let key): event("waiting", ["stage": .string(stage), "key": .string(key.hex)])
    case .submitted(let stage, let key, let job, let log):
      event(
        "submitted",
        ["stage": .string(stage), "key": .string(key.hex), "job": .string(job), "log": .string(log)])
    case .queued(let stage, let job, let state, let reason):
      event(
        "queued",
        ["stage": .string(stage), "job": .string(job), "state": .string(state), "reason": .string(reason)])
    case .started(let stage, let key, let threads):
      event("started", ["stage": .string(stage), "key": .string(key.hex), "threads": .integer(threads)])
    case .resumed(let stage, let step): event("resumed", ["stage": .string(stage), "step": .integer(step)])
    case .progress(let stage, let step, let total, let unit, let detail):
      event(
        "progress",
        [
          "stage": .string(stage), "step": .integer(step), "of": .integer(total), "unit": .string(unit),
          "detail": .string(detail),
        ])
    case .printed(let stage, let line): event("printed", ["stage": .string(stage), "line": .string(line)])
    case .measured(let stage, let step, let unit, let values):
      event(
        "measured",
        [
          "stage": .string(stage), "step": .integer(step), "unit": .string(unit),
          "values": .object(
            Dictionary(values.map { ($0.name, .measure($0.value)) }, uniquingKeysWith: { _, new in new })),
        ])
    case .checkpoint(let stage, let step, let total):
      event("checkpoint", ["stage": .string(stage), "step": .integer(step), "of": .integer(total)])
    case .log(let stage, let text): event("log", ["stage": .string(stage), "text": .string(text)])
    case .finished(let stage, let key, let outputs, let seconds):
      event(
        "finished",
        [
          "stage": .string(stage), "key": .string(key.hex), "outputs": .object(outputs.mapValues(\.canonical)),
          "seconds": rounded(seconds),
        ])
    case .failed(let stage, let key, let message):
      event("failed", ["stage": .string(stage), "key": .string(key.hex), "message": .string(message)])
    case .notice(let text): event("notice", ["text": .string(text)])
    case .interrupted(let stage): event("interrupted", ["stage": .string(stage)])
    case .highlight(let stage, let name, let least, let most, let count):
      event(
        "highlight",
        [
          "stage": .string(stage), "name": .string(name), "least": .measure(least), "most": .measure(most),
          "count": .integer(count),
        ])
    case .runFinished(let root, let executed, let cached, let seconds, let wasInterrupted):
      event(
        "run-finished",
        [
          "root": root.map { .string($0.hex) } ?? .null, "executed": .integer(executed), "cached": .integer(cached),
          "seconds": rounded(seconds), "interrupted": .bool(wasInterrupted),
        ])
    }
  }
}
