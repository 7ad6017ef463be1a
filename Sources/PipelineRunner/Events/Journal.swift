import ArtifactStore
import Determinism
import Foundation
import PipelineModel
import Synchronization

/// The journal of one run: a JSON line per event, and a log for each stage.
package final class Journal: Sendable {
  package let run: String
  private let folder: String
  private let store: Store
  private let pipeline: String
  private let state: Mutex<State>

  private struct State {
    var details: RunDetails
    var isStarted = false
    /// What there was to say before anything was executed: stages found in the store, notices.
    var pending: [RunEvent] = []
  }

  /// The folder is made when something is executed. A run that finds all cached leaves nothing behind, unless it has a
  /// name, or was asked for something else than the last run of this pipeline: then it is worth being referred to.
  init(store: Store, pipeline: String, details: RunDetails = RunDetails()) {
    self.store = store
    self.pipeline = pipeline
    state = Mutex(State(details: details))
    let random = UInt64.random(in: 0 ... .max).hexadecimal.prefix(6)
    run = "\(Timestamp.compact())-\(random)"
    folder = "\(store.path)/runs/\(run)"
  }

  /// The file with the log of a stage or instance.
  package static func logPath(store: Store, run: String, stage: String) -> String {
    "\(store.path)/runs/\(run)/\(logName(stage))"
  }

  /// `judge[2,3]` logs to `judge-2-3.log`.
  private static func logName(_ stage: String) -> String { LiveCurve.fileName(ofStage: stage) + ".log" }

  /// A journal that can't be written must not end the run: errors are dropped here, since the records are the truth.
  package func note(_ event: RunEvent) {
    switch event {
    case .log(let stage, let text):
      append("\(Timestamp.now()) \(text)\n", to: Journal.logName(stage))
    case .measured(let stage, let step, let unit, let values):
      append(
        LiveCurve.line(unit: unit, step: step, values: values), to: LiveCurve.fileName(ofStage: stage) + ".curve.jsonl")
    case .cached, .notice:
      let isPending = state.withLock { state in
        if !state.isStarted { state.pending.append(event) }
        return !state.isStarted
      }
      if !isPending { append(line(event), to: "journal.jsonl") }
    case .runFinished(let root, _, _, _, _):
      if state.withLock({ $0.isStarted }) || isWorthAnEntry(root) { append(line(event), to: "journal.jsonl") }
    default: append(line(event), to: "journal.jsonl")
    }
  }

  /// Notes what the environments of the pipeline are, by name.
  func note(environments: [String: CanonicalValue]) { state.withLock { $0.details.environments = environments } }

  /// How the run was asked for, as far as it is known.
  var details: RunDetails { state.withLock { $0.details } }

  /// Of a run that executed nothing.
  private func isWorthAnEntry(_ root: Digest?) -> Bool {
    let details = details
    guard !store.isObserved else { return false }
    if details.name != nil { return true }
    guard let root, let last = try? RunHistory(store: store).last(of: pipeline) else { return false }
    return last.root != root || last.details.map { !$0.asksForTheSame(as: details) } ?? false
  }

  private func line(_ event: RunEvent) -> String {
    guard case .object(var members) = event.canonical else { return "" }
    members["time"] = .string(Timestamp.now())
    return CanonicalValue.object(members).canonicalText + "\n"
  }

  private func append(_ text: String, to name: String) {
    state.withLock { state in
      if !state.isStarted {
        _ = try? Files.makeFolder(folder)
        let known = state.pending.map(line)
        let first = ([line(.runStarted(run: run, pipeline: pipeline, details: state.details))] + known).joined()
        try? Files.write(Array(first.utf8), to: "\(folder)/journal.jsonl", append: true)
        state.pending = []
      }
      state.isStarted = true
      try? Files.write(Array(text.utf8), to: "\(folder)/\(name)", append: true)
    }
  }
}
