import ArtifactStore
import Determinism
import PipelineModel

/// Numbers over steps with the stage that they are of: of an artifact, or of a stage that is running.
public struct Curve: Sendable {
  /// Such as `finetune`.
  public let title: String
  public let history: History
  /// Whether the stage has not ended.
  public let isLive: Bool

  public init(title: String, history: History, isLive: Bool) {
    (self.title, self.history, self.isLive) = (title, history, isLive)
  }
}

/// Finds curves by the names of stages.
public struct CurveReader {
  private let store: Store

  public init(store: Store) { self.store = store }

  /// Those of a name: one, or of a fanned-out stage that of each instance, the newest of each.
  /// - Throws: as `curve`.
  public func curves(_ subject: String, run reference: String? = nil) throws -> [Curve] {
    do {
      return [try curve(subject, run: reference)]
    } catch let error as PipelineError where error.code == .unknownID {
      let address = StageAddress(subject)
      var names = [String]()
      let known = try reference.map { try RunHistory(store: store).run($0).steps.map(\.stage) }
      for name in known ?? store.index.allEntries.map(\.stage) where !names.contains(name) {
        guard StageAddress.stage(ofInstance: name) == address.stage, name != subject else { continue }
        if address.conditions.isEmpty || address.matches(instance: name) { names.append(name) }
      }
      let found = names.compactMap { try? curve($0, run: reference) }
      if found.isEmpty { throw error }
      return found
    }
  }

  /// - Parameters:
  ///   - subject: a stage or instance, `stage.output`, or the ID of an artifact or a record.
  ///   - run: whose results are meant; nil means the newest.
  /// - Throws: code `unknownID` where there is no history of that name.
  public func curve(_ subject: String, run reference: String? = nil) throws -> Curve {
    let run = try reference.map { try RunHistory(store: store).run($0) }
    if let live = try live(subject, in: run) { return live }
    if let run, let step = run.steps.last(where: { $0.stage == subject }) {
      guard store.hasRecord(step.key) else { throw nothing(subject, "it has no result in run \(run.id)") }
      return try curve(of: step.key, subject)
    }
    if let run { throw nothing(subject, "run \(run.id) has no such stage", among: run.steps.map(\.stage)) }
    switch try Lookup(store: store).find(subject) {
    case .record(let key): return try curve(of: key, subject)
    case .artifact(let artifact): return try curve(artifact, subject)
    }
  }

  private func nothing(_ subject: String, _ why: String, among names: [String] = []) -> PipelineError {
    PipelineError(
      .unknownID,
      "'\(subject)': \(why)" + (names.isEmpty ? "" : Suggestion.text(for: subject, among: Set(names).sortedByBytes())))
  }

  /// Of the one output of a record that is a history.
  private func curve(of key: Digest, _ subject: String) throws -> Curve {
    let outputs = try store.record(key).outputs.sorted { $0.key.precedesInBytes($1.key) }
    for kind in [HistoryFormat.name, JSONFormat.name] {
      for (_, artifact) in outputs where artifact.kind == kind {
        if let history = try history(artifact) { return Curve(title: subject, history: history, isLive: false) }
      }
    }
    throw nothing(
      subject, "it has no history; a command declares 'history: curve.jsonl', trainings write one by themselves")
  }

  private func curve(_ artifact: Artifact, _ subject: String) throws -> Curve {
    guard let history = try history(artifact) else { throw nothing(subject, "this artifact is no history") }
    return Curve(title: subject, history: history, isLive: false)
  }

  private func history(_ artifact: Artifact) throws -> History? {
    guard artifact.holdsJSON else { return nil }
    return History(canonical: try store.value(of: artifact))
  }

  /// What a stage that is running has measured so far, in the run or in the newest one.
  private func live(_ subject: String, in run: RunSummary?) throws -> Curve? {
    let history = RunHistory(store: store)
    guard let run = try run ?? history.ids().last.map(history.read), run.end == .open,
      run.steps.last(where: { $0.stage == subject })?.state == .running
    else { return nil }
    return try LiveCurve.read(stage: subject, run: run.id, in: store).map {
      Curve(title: subject, history: $0, isLive: true)
    }
  }
}
