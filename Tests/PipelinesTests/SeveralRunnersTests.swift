import Determinism
import Foundation
import Synchronization
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner

/// Waits until two instances are at work at the same time, or a generous limit has passed.
private struct Slow: Stage {
  static let name = "slow", version = 1
  static let inputs = [InputPort("architecture", "json")]
  static let outputs = [OutputPort("result", "json")]
  static let atWork = Atomic<Int>(0)
  static let most = Atomic<Int>(0)
  init(parameters: NoParameters) {}

  func run(in context: StageContext) throws {
    let count = Slow.atWork.wrappingAdd(1, ordering: .relaxed).newValue
    Slow.most.max(count, ordering: .relaxed)
    let end = Date(timeIntervalSinceNow: 60)
    while Slow.most.load(ordering: .relaxed) < 2, Date() < end { usleep(1000) }
    usleep(20_000)
    Slow.atWork.wrappingSubtract(1, ordering: .relaxed)
    try context.write("result", json: try context.input("architecture").json())
  }
}

@Suite("Several runners on one store", .serialized)
struct SeveralRunnersTests {
  private static let pipeline = """
    pipeline: shared
    stages:
      pool: { uses: candidates, with: { genes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] } }
      slow: { uses: slow, for-each: pool.list, needs: { architecture: each } }
    """

  @Test("divide ready instances: together each is executed once, and both executed some")
  func divide() async throws {
    let bench = try Bench()
    bench.registry = TestStages.registry(adding: StageKind(Slow.self))
    let path = bench.storePath
    let runs = try await withThrowingTaskGroup(of: RunResult.self) { group in
      for _ in 0..<2 {
        group.addTask {
          try await withCheckedThrowingContinuation { continuation in
            let thread = Thread {
              continuation.resume(
                with: Result {
                  let bench = try Bench()
                  bench.registry = TestStages.registry(adding: StageKind(Slow.self))
                  let store = try Store(path: path, registry: bench.registry)
                  let planner = Planner(pipeline: try bench.planner(Self.pipeline).pipeline, store: store)
                  return try Runner(planner: planner, options: bench.options).run()
                })
            }
            thread.start()
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(runs.map(\.executed).reduce(0, +) == 13, "\(runs.map(\.executed))")
    #expect(runs.allSatisfy { $0.executed >= 2 && $0.failures.isEmpty }, "\(runs.map(\.executed))")
    #expect(Set(runs.map(\.root)).count == 1 && runs[0].root != nil)
    #expect(Slow.most.load(ordering: .relaxed) == 2)
    #expect(try bench.audit().isSound)
  }
}
