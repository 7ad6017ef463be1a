import Determinism
import Foundation
import PipelineFiles
import Synchronization
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

/// Collects texts from several threads, in the order of arrival.
final class Recorder: Sendable {
  private let list = Mutex<[String]>([])
  var notes: [String] { list.withLock { $0 } }
  func note(_ text: String) { list.withLock { $0.append(text) } }
}

/// A store in a temporary folder, which is removed at the end, and what a run on it needs.
final class Bench {
  let folder: String
  var variables: [String: String] = [:]
  var registry = TestStages.registry()
  var sandbox = SandboxPolicy.off

  init() throws {
    // Writing to memory is fast, and nothing tested here depends on the disk.
    let parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : NSTemporaryDirectory()
    folder = parent + "pipelines-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  var storePath: String { folder + "/store" }

  func planner(
    _ text: String, file: String = "search.yaml", profile: String? = nil, seed: UInt64? = nil, settings: [String] = [],
    interruption: Interruption = Interruption(), making: Bool = true
  ) throws -> Planner {
    let description = try PipelineFile(text: text, path: file)
      .description(profile: profile, seed: seed, settings: settings.map { try Setting(parsing: $0) })
    return Planner(
      pipeline: try Pipeline(description, registry: registry),
      store: try making
        ? Store(path: storePath, registry: registry) : Store(observing: storePath, registry: registry),
      variables: variables, interruption: interruption)
  }

  /// Runs a pipeline.
  ///
  /// - Returns: the result and the names of the executed instances, sorted.
  @discardableResult
  func run(
    _ text: String, file: String = "search.yaml", profile: String? = nil, seed: UInt64? = nil, settings: [String] = [],
    stages: [String] = [], jobs: Int = 1, keepGoing: Bool = false
  ) throws -> (result: RunResult, executed: [String]) {
    var options = options
    options.jobs = jobs
    options.keepGoing = keepGoing
    let events = Mutex<[String]>([])
    let planner = try planner(text, file: file, profile: profile, seed: seed, settings: settings)
    let runner = Runner(planner: planner, options: options) { event in
      if case .started(let stage, _, _) = event { events.withLock { $0.append(stage) } }
    }
    let result = try runner.run(stages: stages)
    return (result, events.withLock { $0.sorted() })
  }

  var options: RunOptions {
    var options = RunOptions()
    options.sandbox = sandbox
    return options
  }

  func store() throws -> Store { try Store(path: storePath, registry: registry) }

  func audit(deep: Bool = false) throws -> AuditReport { try Auditor(store: try store(), deep: deep).audit() }

  /// All files below the store, by relative path.
  func files(_ part: String) throws -> [String] {
    try Files.walk(storePath, below: part)
  }
}
