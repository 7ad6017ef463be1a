import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// The end of the log of an instance that failed, from the newest run that has one.
struct FailureLog {
  let store: Store
  let instance: String

  /// Runs that are looked through.
  private static let runs = 50
  private static let (bytes, lines) = (8192, 40)

  var text: String? {
    guard let runs = try? RunHistory(store: store).ids() else { return nil }
    for run in runs.suffix(FailureLog.runs).reversed() {
      let path = Journal.logPath(store: store, run: run, stage: instance)
      guard (try? Files.type(path)) == .file, let tail = try? Files.tail(of: path, bytes: FailureLog.bytes) else {
        continue
      }
      let lines = String(decoding: tail, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      return lines.suffix(FailureLog.lines).joined(separator: "\n").replacing(FailureLog.colours, with: "")
    }
    return nil
  }

  /// What terminals take for colours.
  private static var colours: Regex<Substring> { #/\u{1B}\[[0-9;]*m/# }
}
