import Determinism
import Foundation
import PipelineFiles
import Synchronization
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner

@Suite("Runner survives crashes and failing disks at every step that changes a file", .serialized)
struct CrashTests {
  /// A stage with checkpoints, an array, a fan-out over its elements, and a tree.
  private static let text = """
    pipeline: crash
    seed: 7
    stages:
      pretrain: { uses: train, with: { steps: 3 } }
      pool: { uses: candidates, with: { genes: [2, 1] } }
      judge: { uses: evaluate, for-each: pool.list, needs: { architecture: each, weights: pretrain.weights } }
      select: { uses: gather, needs: { qualities: judge.quality } }
    """

  private static func run(_ path: String) throws -> RunResult {
    let registry = TestStages.registry()
    let pipeline = try Pipeline(PipelineFile(text: text, path: "crash.yaml").description(), registry: registry)
    let planner = Planner(pipeline: pipeline, store: try Store(path: path, registry: registry))
    return try Runner(planner: planner, options: RunOptions()).run()
  }

  /// The store is sound, the next run ends with the same root, and nothing is left behind.
  private static func expectSound(_ bench: Bench, root: Digest?, _ what: String) throws {
    #expect(try bench.audit().findings.filter(\.isProblem).isEmpty, "\(what): unsound before the next run")
    #expect(try run(bench.storePath).root == root, "\(what): another root")
    let report = try bench.audit(deep: true)
    #expect(report.isSound, "\(what): \(report.findings)")
    for part in ["tmp", "checkpoints", "locks"] {
      let left = try Files.list("\(bench.storePath)/\(part)").filter { $0 != "keys" }
      #expect(left.isEmpty, "\(what): left in \(part): \(left)")
    }
  }

  @Test("after kill -9 at any step the next run ends with the same root and a clean audit")
  func killed() async throws {
    let reference = try Bench()
    let root = try Self.run(reference.storePath).root
    let counted = reference.folder + "/count"
    let second = reference.folder + "/second"
    await #expect(processExitsWith: .success) { [path = second as String, counted = counted as String] in
      FailPoint.arm("0")
      _ = try CrashTests.run(path)
      try save(String(FailPoint.count), to: counted)
    }
    let count = try #require(Int(String(contentsOfFile: counted, encoding: .utf8)))
    #expect(count > 80)
    for step in 1...count {
      let bench = try Bench()
      let path = bench.storePath
      await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, step = step as Int] in
        FailPoint.arm("\(step)")
        _ = try CrashTests.run(path)
        // Concurrent stages may pass fewer of these points in this attempt.
        FailPoint.die()
      }
      try Self.expectSound(bench, root: root, "killed at step \(step) of \(count)")
    }
  }

  /// One process tries all steps, since an injected fault applies to a whole process.
  @Test("a full or failing disk is reported, nothing wrong is stored, and the next run on a working disk succeeds")
  func failing() async throws {
    await #expect(processExitsWith: .success) {
      let root = try CrashTests.run(try Bench().storePath).root
      FailPoint.arm("0")
      _ = try CrashTests.run(try Bench().storePath)
      let count = FailPoint.count
      for order in ["ENOSPC+", "ENOSPC", "EIO"] {
        for step in 1...count {
          let bench = try Bench()
          FailPoint.arm("\(step):\(order)")
          let outcome = Result { try CrashTests.run(bench.storePath) }
          FailPoint.arm("0")
          CrashTests.judge(outcome, root: root, "\(order) at step \(step) of \(count)")
          try CrashTests.expectSound(bench, root: root, "\(order) at step \(step) of \(count)")
        }
      }
    }
  }

  private static func judge(_ outcome: Result<RunResult, any Error>, root: Digest?, _ what: String) {
    let errors: [any Error]
    switch outcome {
    case .success(let result):
      // A journal that can't be written or a leftover that can't be removed does not end a run.
      if result.failures.isEmpty {
        #expect(result.root == root, "\(what): no error, but another root")
        return
      }
      errors = result.failures.map(\.error)
    case .failure(let error): errors = [error]
    }
    for error in errors {
      let isNamed = (error as? PipelineError).map {
        [.diskFull, .io].contains($0.code) && $0.message.contains("cannot")
      }
      #expect(isNamed == true, "\(what): \(error)")
    }
  }
}
