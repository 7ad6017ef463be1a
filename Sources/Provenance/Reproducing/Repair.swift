import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

extension Reexecution {
  /// Restores damaged and missing artifacts, each by executing the one stage that made it, and proves that its content is
  /// the recorded one. What was damaged is set aside under `damaged/`, not deleted.
  /// - Parameter targets: IDs of artifacts or records, or stages such as `evaluate` and `evaluate[3]`; none means all
  ///   that is damaged or missing.
  /// - Throws: code `unknownID` for a target that is nothing here; `StageInterrupted`.
  public func repair(_ targets: [String] = []) throws -> RepairReport {
    let guarded = try StoreLock.shared(store)
    defer {
      store.endScratch()
      withExtendedLifetime(guarded) {}
    }
    try store.refuseLiveWaves("repair")
    let session = RepairSession(self)
    try session.open()
    let chosen = try targets.isEmpty ? session.everything : targets.flatMap { try session.find($0) }
    for subject in chosen { try session.repair(subject) }
    return RepairReport(items: session.items, checked: session.checked)
  }
}
