import Determinism
import Foundation
import PipelineFiles
import Synchronization
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("Runner resumes, recovers and reports failures", .serialized)
struct RunTests {
  private struct Unreproducible: UnreproducibleStage {
    static let hidden = HiddenNumber()
    init(parameters: NoParameters) {}
  }

  @Test("an interrupted stage resumes from its checkpoint and gives the same result")
  func resume() throws {
    let text = "pipeline: p\nstages:\n  a: { uses: train, with: { steps: 9, stop-at-step: 5 } }\n"
    let whole = try Bench()
    let expected = try whole.run(text).result.root

    let bench = try Bench()
    Train.interruptsItself.store(true, ordering: .relaxed)
    defer { Train.interruptsItself.store(false, ordering: .relaxed) }
    let stopped = try bench.run(text)
    #expect(stopped.result.wasInterrupted && stopped.result.root == nil && stopped.result.failures.isEmpty)
    let plan = try bench.planner(text).plan()
    #expect(plan.stages[0].state == .partial)
    #expect(plan.stages[0].instances[0].checkpoint.map { [$0.step, $0.of] } == [4, 9])
    #expect(try bench.audit().isSound)

    Train.interruptsItself.store(false, ordering: .relaxed)
    let resumed = try bench.run(text)
    #expect(resumed.result.root == expected)
    #expect(try bench.files("checkpoints").isEmpty)
    // The record also holds the digests of the steps before the interruption.
    let store = try bench.store()
    let record = try store.record(#require(try store.recordKeys().first))
    #expect(record.trace.steps.keys.sorted() == Array(1...9))
  }

  @Test("a damaged checkpoint costs steps and does not change the result")
  func damagedCheckpoint() throws {
    let text = "pipeline: p\nstages:\n  a: { uses: train, with: { steps: 9, stop-at-step: 5 } }\n"
    let expected = try Bench().run(text).result.root
    let bench = try Bench()
    Train.interruptsItself.store(true, ordering: .relaxed)
    try bench.run(text)
    Train.interruptsItself.store(false, ordering: .relaxed)
    let newest = try #require(try bench.files("checkpoints").first { $0.hasSuffix("/step-4") })
    try save("123", to: bench.storePath + "/" + newest)
    #expect(try bench.run(text).result.root == expected)
  }

  /// A run in a process of its own that ends by `kill -9` after some events, or after some time.
  private static func runUntilKilled(store path: String, afterEvents events: Int, milliseconds: Double) throws {
    let registry = TestStages.registry()
    let description = try PipelineFile(text: TestPipelines.search, path: "search.yaml").description()
    let planner = Planner(
      pipeline: try Pipeline(description, registry: registry), store: try Store(path: path, registry: registry))
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: milliseconds / 1000)
      kill(getpid(), SIGKILL)
    }
    let count = Mutex(0)
    _ = try Runner(planner: planner, options: RunOptions()) { _ in
      count.withLock {
        $0 += 1
        if $0 == events { kill(getpid(), SIGKILL) }
      }
    }.run()
    Thread.sleep(forTimeInterval: 60)
  }

  private func expectSound(_ bench: Bench) throws {
    let expected = try Bench().run(TestPipelines.search).result.root
    #expect(try bench.audit().isSound)
    #expect(try bench.run(TestPipelines.search).result.root == expected)
    #expect(try bench.audit().isSound)
    #expect(try bench.files("tmp").isEmpty)
    #expect(try bench.files("checkpoints").isEmpty)
  }

  @Test(
    "after kill -9 at an event the next run ends with the same root", arguments: [1, 2, 5, 9, 11, 12, 13, 14, 16, 20])
  func killedAtEvent(events: Int) async throws {
    let bench = try Bench()
    let path = bench.storePath
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, events = events as Int] in
      try RunTests.runUntilKilled(store: path, afterEvents: events, milliseconds: 60_000)
    }
    try expectSound(bench)
  }

  @Test("after kill -9 at any moment the next run ends with the same root", arguments: 1...16)
  func killedAtMoment(moment: Int) async throws {
    let bench = try Bench()
    let path = bench.storePath
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, moment = moment as Int] in
      try RunTests.runUntilKilled(store: path, afterEvents: .max, milliseconds: Double(moment) * 2)
    }
    try expectSound(bench)
  }

  @Test("concurrent runners on one store execute no stage twice")
  func sideBySide() async throws {
    let bench = try Bench()
    let path = bench.storePath
    let total = try await withThrowingTaskGroup(of: (Int, Digest?).self) { group in
      for _ in 0..<4 {
        group.addTask {
          try await withCheckedThrowingContinuation { continuation in
            let thread = Thread {
              continuation.resume(
                with: Result {
                  let bench = try Bench()
                  let store = try Store(path: path, registry: bench.registry)
                  var options = RunOptions()
                  options.jobs = 2
                  let pipeline = try bench.planner(TestPipelines.search).pipeline
                  let result = try Runner(planner: Planner(pipeline: pipeline, store: store), options: options).run()
                  return (result.executed, result.root)
                })
            }
            thread.start()
          }
        }
      }
      var executed = 0
      var roots = Set<Digest?>()
      for try await (count, root) in group {
        executed += count
        roots.insert(root)
      }
      #expect(roots.count == 1 && roots.first! != nil)
      return executed
    }
    #expect(total == 6)
    #expect(try bench.audit().isSound)
  }

  @Test("a failure is reported with its message, stops dependent stages, and is remembered by the plan")
  func failure() throws {
    let bench = try Bench()
    let text = """
      pipeline: p
      stages:
        broken: { uses: failing }
        fine: { uses: candidates }
        after: { uses: evaluate, needs: { architecture: broken.nothing } }
      """
    let stopped = try bench.run(text).result
    #expect(stopped.failures.map(\.message) == ["picture 7 is no JPEG"] && stopped.failures[0].isUserData)
    let going = try bench.run(text, keepGoing: true)
    #expect(going.executed == ["broken", "fine"] && going.result.root == nil)
    let plan = try bench.planner(text).plan()
    #expect(plan.stages.map(\.state) == [.failed, .cached, .waiting])
  }

  @Test("a deleted object is made again and must be the same")
  func healing() throws {
    let bench = try Bench()
    bench.registry = TestStages.registry(adding: StageKind(Unreproducible.self))
    let text = "pipeline: p\nstages:\n  a: { uses: unreproducible }\n"
    Unreproducible.hidden.set(1)
    let root = try bench.run(text).result.root
    let object = try #require(try bench.files("objects").first { $0.hasSuffix(".json") })
    try FileManager.default.removeItem(atPath: bench.storePath + "/" + object)
    #expect(
      try bench.planner(text).plan().stages[0].instances[0].reasons.first?.hasPrefix("its output 'number'") == true)
    Unreproducible.hidden.set(2)
    let other = try bench.run(text).result
    #expect((other.failures.first?.error as? PipelineError)?.code == .notReproduced)
    Unreproducible.hidden.set(1)
    #expect(try bench.run(text).result.root == root)
  }

  @Test("rerun reports which results differ and leaves the record unchanged")
  func rerun() throws {
    let bench = try Bench()
    bench.registry = TestStages.registry(adding: StageKind(Unreproducible.self))
    let text = "pipeline: p\nstages:\n  a: { uses: unreproducible }\n  train: { uses: train }\n"
    Unreproducible.hidden.set(1)
    let root = try bench.run(text).result.root
    let rerunner = Rerunner(planner: try bench.planner(text), options: RunOptions())
    #expect(try rerunner.rerun(["a", "train"]).isReproduced)
    Unreproducible.hidden.set(2)
    let report = try rerunner.rerun(["train", "a"])
    #expect(report.instances.map(\.isReproduced) == [true, false])
    #expect(report.instances[1].differences[0] == "first differs inside the stage at step 7, number")
    #expect(report.instances[1].differences[1].hasSuffix(": number: 1 against 2"))
    #expect(try bench.run(text).result.root == root)
    #expect(try bench.audit().isSound)
    #expect(throws: PipelineError.self) {
      try Rerunner(planner: bench.planner(text, settings: ["train.steps=3"]), options: RunOptions()).rerun(["train"])
    }
  }

  @Test("a source depends on the files of its folder, not on its path")
  func source() throws {
    let bench = try Bench()
    let text = """
      pipeline: p
      stages:
        data: { uses: folder }
        a: { uses: train, needs: { data: data.train } }
      """
    let missing = #expect(throws: PipelineError.self) { try bench.run(text) }
    #expect(missing?.code == .missingSource && missing?.message.contains("set TEST_DATA=") == true)
    let folder = bench.folder + "/data"
    try FileManager.default.createDirectory(atPath: folder + "/train/x", withIntermediateDirectories: true)
    try save("one", to: folder + "/train/x/1")
    try save("ignored", to: folder + "/train/2.tmp")
    bench.variables["TEST_DATA"] = folder
    let root = try bench.run(text).result.root
    #expect(try bench.run(text).executed == [])
    #expect(rename(folder, folder + "-moved") == 0)
    bench.variables["TEST_DATA"] = folder + "-moved"
    #expect(try bench.run(text).executed == [])
    try save("two", to: folder + "-moved/train/x/1")
    let changed = try bench.run(text)
    #expect(changed.executed == ["a"] && changed.result.root != root)
    #expect(try bench.audit().isSound)
  }
}
