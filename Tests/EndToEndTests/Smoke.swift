import Determinism
import Foundation
import Synchronization
import Tensors
import Testing

/// The smoke profile of the COCO pipeline: the whole procedure in seconds.
enum Smoke {
  /// The root of `pipelines/coco.yaml --profile smoke`, on every machine.
  ///
  /// If a change of code changes it, the numerics version or the version of a stage must rise. If a change of the
  /// profile does, only this constant changes.
  static let root = "22656049196a255b03a1aa7172a5f3ee1a63df51feb65a788a70df2427291b6d"

  static let checkout = (0..<3).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
    .path
  static let pipeline = checkout + "/pipelines/coco.yaml"

  /// The environment that makes the first OpenCL device of this machine compute; nothing where there is none.
  static let device: [String: String] = {
    guard let first = (try? Device.all())?.first, Device.problem(of: first) == nil else { return [:] }
    return ["AUTOPANOPTIC_DEVICE": "opencl:\(first.index)"]
  }()

  /// How the program is run. The result must not depend on any of it.
  struct Setting: Sendable, CustomTestStringConvertible {
    var instructionSet: String?
    var threads = 2
    var jobs: Int?
    /// The built executable, or another build of it.
    var program = Program.path
    var environment: [String: String] = [:]

    var testDescription: String {
      "\(instructionSet ?? "default"), \(threads) threads, \(jobs.map(String.init) ?? "default") jobs, \(environment), "
        + program
    }
    var variables: [String: String] {
      environment.merging(instructionSet.map { ["AUTOPANOPTIC_ISA": $0] } ?? [:]) { a, _ in a }
    }
  }

  static func arguments(
    _ command: String, _ more: [String] = [], store: String, pipeline: String = Smoke.pipeline
  ) -> [String] {
    [command, pipeline] + more + ["--profile", "smoke", "--store", store]
  }

  /// Runs the profile with `--json`.
  static func run(
    store: String, pipeline: String = Smoke.pipeline, _ setting: Setting = Setting(), _ more: [String] = [],
    watch: (Program.Event) -> Int32? = { _ in nil }
  ) async throws -> Program.Outcome {
    let work = ["--threads", String(setting.threads), "--json"] + (setting.jobs.map { ["--jobs", String($0)] } ?? [])
    return try await Program.run(
      setting.program, arguments("run", more + work, store: store, pipeline: pipeline),
      environment: setting.variables, limit: .seconds(setting.program == Program.path ? 900 : 7200)
    ) { line in Program.Event(line).flatMap(watch) }
  }

  /// What `status --json` says of a stage.
  static func status(_ stage: String, store: String) async throws -> CanonicalValue {
    let outcome = try await Program.run(arguments("status", ["--json"], store: store))
    return try #require(outcome.json["stages"]?.arrayValue?.first { $0["name"]?.stringValue == stage })
  }

  /// The path of an output of a stage.
  static func path(_ output: String, of stage: String, store: String) async throws -> String {
    let status = try await status(stage, store: store)
    let digest = try #require(status["instances"]?.arrayValue?.first?["outputs"]?[output]?["digest"]?.stringValue)
    let outcome = try await Program.run(["show", digest, "--path", "--store", store])
    return try #require(outcome.lines.first)
  }
}

extension Program.Outcome {
  /// The root in the last event.
  var finalRoot: String? { events.last { $0.name == "run-finished" }?.root }
  /// The number of events of this name for instances of a stage.
  func count(_ name: String, _ stage: String) -> Int {
    events.count { $0.name == name && ($0.stage == stage || $0.stage.hasPrefix(stage + "[")) }
  }
}

/// One finished smoke run, shared by the tests, which read or copy its store.
enum Reference {
  struct Finished: Sendable {
    let store: String
    let outcome: Program.Outcome
  }

  private static let task = Task {
    let folder = NSTemporaryDirectory() + "autopanoptic-reference-\(getpid())"
    Reference.folder.withLock { $0 = folder }
    atexit { Reference.folder.withLock { if let path = $0 { removeTree(path) } } }
    let store = folder + "/artifacts"
    return Finished(store: store, outcome: try await Smoke.run(store: store))
  }
  private static let folder = Mutex<String?>(nil)

  static var finished: Finished {
    get async throws { try await task.value }
  }

  /// Calls `body` with a copy of the store, which it may damage.
  static func withCopy<R>(_ body: (String) async throws -> R) async throws -> R {
    let finished = try await finished
    return try await withTemporaryFolder { folder in
      let store = folder + "/artifacts"
      try FileManager.default.copyItem(atPath: finished.store, toPath: store)
      return try await body(store)
    }
  }
}
