import ArtifactStore
import Determinism
import Foundation
import PipelineFiles
import PipelineModel
import PipelineRunner
import Stages

/// The smoke profile of the COCO pipeline with replicas, in a store in a temporary folder, which is removed at the end.
final class Experiment {
  let folder: String
  private let period: String
  private let interruption = Interruption()

  static let checkout = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
    .path

  /// - Parameter period: of updates of the supernet.
  init(period: String = "window") throws {
    // Writing to memory is fast, and nothing tested here depends on the disk.
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : NSTemporaryDirectory()
    folder = parent + "teams-\(UInt64.random(in: 0 ... .max))"
    self.period = period
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  var storePath: String { folder + "/store" }

  private func planner() throws -> Planner {
    let settings = [
      "pretrain.recipe.replicas=3", "pretrain-selected.recipe.replicas=3", "retrain.recipe.replicas=3",
      "finetune.recipe.period=\(period)", "candidates.cycles=1",
    ]
    let path = Experiment.checkout + "/pipelines/coco.yaml"
    let description = try PipelineFile(text: String(contentsOfFile: path, encoding: .utf8), path: path)
      .description(profile: "smoke", seed: nil, settings: settings.map { try Setting(parsing: $0) })
    let registry = Stages.registry()
    return Planner(
      pipeline: try Pipeline(description, registry: registry), store: try Store(path: storePath, registry: registry),
      variables: [:], interruption: interruption)
  }

  /// Runs some stages, or all.
  func run(
    _ stages: [String] = [], on executor: ((String) -> any Executor)? = nil, checkpointInterval: Double = 20,
    observer: @escaping @Sendable (RunEvent) -> Void = { _ in }
  ) throws -> RunResult {
    var options = RunOptions()
    options.checkpointInterval = checkpointInterval
    return try Runner(
      planner: planner(), options: options, executor: executor.map { $0(storePath) }, observer: observer
    ).run(stages: stages)
  }
}
