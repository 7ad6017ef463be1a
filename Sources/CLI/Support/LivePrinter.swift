import Determinism
import Pipelines
import Results

/// What stages that are running have measured last.
enum LivePrinter {
  /// More lines hide the stages above them.
  private static let limit = 10

  /// Of the newest run that has not ended.
  static func print(_ store: Store) throws {
    let history = RunHistory(store: store)
    guard let run = try history.newest(1).first, run.end == .open else { return }
    let running = run.steps.filter { $0.state == .running }.map(\.stage)
    let reader = CurveReader(store: store)
    for stage in running.prefix(limit) {
      guard let curve = try? reader.curve(stage, run: run.id), curve.isLive, let last = curve.history.rows.last else {
        continue
      }
      let numbers = zip(curve.history.names, last.values).compactMap { name, value in
        value.map { "\(name) \(History.text($0))" }
      }
      Output.line("  \(stage): \(curve.history.unit) \(last.step), \(numbers.joined(separator: ", "))")
    }
  }
}
