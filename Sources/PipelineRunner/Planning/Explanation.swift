import ArtifactStore
import Determinism
import PipelineModel

/// Why an instance is not cached: the differences from the nearest record.
struct Explanation {
  /// Outputs that its record names and that the store lacks; the key itself has been run.
  var lost: [String] = []
  /// The record compared with, where there is no record of the key itself.
  var nearest: StoreIndex.Entry?
  package var differences: [KeyDifference] = []

  static let neverRun = "never run before"

  /// Lines to print.
  package var reasons: [String] {
    if !lost.isEmpty { return lost }
    guard let nearest else { return [Explanation.neverRun] }
    let stage = "record \(nearest.key.short) of '\(nearest.stage)'"
    return differences.map(\.description) + ["compared with \(stage), \(nearest.started)"]
  }
}
