import ArtifactStore
import Determinism

extension Execution {
  /// `rehearse` for callers that wait for it, with an event for its end.
  package func rehearseAlone(record: Record) throws -> RerunReport.InstanceReport {
    let report = try onDeepStack { try rehearse(record: record) }
    observer(.finished(stage: order.stage, key: order.key, outputs: report.outputs, seconds: report.seconds))
    return report
  }
}
