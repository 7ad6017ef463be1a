import Determinism
import Foundation
import PipelineFiles
import Testing

@testable import ArtifactStore
@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("Every command that changes a store survives kill -9 at each step that changes a file", .serialized)
struct CommandCrashTests {
  enum Command: String, Sendable, CaseIterable, Codable {
    case repair, gc, take, sign, export, rerun
  }

  private static let text = """
    pipeline: crash
    seed: 7
    stages:
      pretrain: { uses: train, with: { steps: 1 } }
      pool: { uses: candidates, with: { genes: [2] } }
      judge: { uses: evaluate, for-each: pool.list, needs: { architecture: each, weights: pretrain.weights } }
      select: { uses: gather, needs: { qualities: judge.quality } }
    """

  private static func planner(_ path: String, _ seed: UInt64 = 7) throws -> Planner {
    let registry = TestStages.registry()
    let description = try PipelineFile(text: text, path: "crash.yaml").description(seed: seed)
    return Planner(
      pipeline: try Pipeline(description, registry: registry), store: try Store(path: path, registry: registry))
  }

  @discardableResult
  private static func run(_ path: String, _ seed: UInt64 = 7) throws -> RunResult {
    try Runner(planner: planner(path, seed), options: RunOptions()).run()
  }

  /// A store in the state in which the command is useful.
  private static func prepare(_ command: Command, _ bench: Bench) throws {
    let path = bench.storePath
    if command == .take {
      try run(bench.folder + "/other")
      _ = try export(bench.folder + "/other", to: bench.folder + "/bundle.tar")
      _ = try bench.store()
      return
    }
    try run(path)
    if command == .gc { try run(path, 8) }
    if command == .repair {
      for file in try bench.files("objects") where file.hasSuffix(".json") || file.hasSuffix("flat.txt") {
        try AuditTests.Damage.flip(path + "/" + file)
      }
    }
  }

  private static func export(_ store: String, to file: String) throws {
    let source = Exporter.PipelineSource(name: "crash.yaml", text: Array(text.utf8), arguments: [])
    _ = try Exporter(store: Store(path: store, registry: TestStages.registry())).export(
      planner(store), source: source, to: file)
  }

  private static func perform(_ command: Command, _ folder: String) throws {
    let path = folder + "/store"
    let store = try Store(path: path, registry: TestStages.registry())
    switch command {
    case .repair: _ = try Reexecution(store: store, variables: [:], options: RunOptions()).repair()
    case .gc: _ = try GarbageCollector(store: store).collect(keeping: { [try planner(path).plan()] })
    case .take: _ = try Importer(store: store).take(folder + "/bundle.tar")
    case .sign: for key in try store.recordKeys() { try Signer(store: store).sign(key, with: SigningKey()) }
    case .export: try export(path, to: folder + "/out.tar")
    case .rerun: _ = try Rerunner(planner: planner(path), options: RunOptions()).rerun(["pretrain", "select"])
    }
  }

  @Test(
    "a plain run afterwards ends with the same root and a clean audit",
    arguments: Command.allCases)
  func killed(_ command: Command) async throws {
    let root = try Self.run(try Bench().storePath).root
    let counting = try Bench()
    try Self.prepare(command, counting)
    let counted = counting.folder + "/count"
    await #expect(processExitsWith: .success) {
      [folder = counting.folder as String, counted = counted as String, command = command as Command] in
      FailPoint.arm("0")
      try CommandCrashTests.perform(command, folder)
      try save(String(FailPoint.count), to: counted)
    }
    let count = try #require(Int(String(contentsOfFile: counted, encoding: .utf8)))
    #expect(count > 2)
    for step in 1...count {
      let bench = try Bench()
      try Self.prepare(command, bench)
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [folder = bench.folder as String, step = step as Int, command = command as Command] in
        FailPoint.arm("\(step)")
        try CommandCrashTests.perform(command, folder)
        FailPoint.die()
      }
      let what = "\(command) killed at step \(step) of \(count)"
      if command == .repair {
        // The damage was there before the command; what an interrupted repair did not reach is still damaged.
        #expect(
          try Reexecution(store: bench.store(), variables: [:], options: bench.options).repair().isComplete, "\(what)")
      } else {
        let before = try bench.audit()
        #expect(before.isSound, "\(what): \(before.findings)")
      }
      #expect(try Self.run(bench.storePath).root == root, "\(what): another root")
      let report = try bench.audit(deep: true)
      #expect(report.isSound, "\(what): \(report.findings)")
      for part in ["tmp", "locks"] {
        let left = try Files.list("\(bench.storePath)/\(part)").filter { $0 != "keys" }
        #expect(left.isEmpty, "\(what): left in \(part): \(left)")
      }
    }
  }
}
