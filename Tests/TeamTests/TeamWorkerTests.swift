import ArtifactStore
import Determinism
import Foundation
import PipelineFiles
import PipelineModel
import PipelineRunner
import Synchronization
import Testing

/// Adds up what all members know; some of them fail.
private struct Adding: Stage {
  struct Parameters: StageParameters {
    var numbers = 10
    /// The rank that throws, or all of them for a negative number; 9 for none.
    var failing = 9
    /// The rank that is asked to stop after five numbers, at the first attempt.
    var stopping = 9
  }

  static let name = "add", version = 1, usesTeam = true
  static let outputs = [OutputPort("sum", "json")]
  /// Ranks that ran, and numbers that each added.
  static let runs = Mutex<[(rank: Int, step: Int)]>([])
  static let stopped = Mutex(false)
  let parameters: Parameters

  struct Trouble: DiagnosableError {
    let isUserData = true
    let description = "no more numbers"
  }

  func run(in context: StageContext) throws {
    var (step, sum) = (0, 0)
    if let checkpoint = try context.latestCheckpoint() {
      step = checkpoint.step
      sum = try #require(Int(String(contentsOfFile: checkpoint.path, encoding: .utf8)))
    }
    Adding.runs.withLock { $0.append((context.team.rank, step)) }
    while step < parameters.numbers {
      let isMine = context.team.rank == parameters.stopping && step == 5
      if isMine,
        !Adding.stopped.withLock({ wasStopped in
          defer { wasStopped = true }
          return wasStopped
        })
      {
        context.interruption.request()
      }
      if try context.shouldStop() {
        try context.saveCheckpoint(step: step, of: parameters.numbers) {
          try FileIO.write(Array("\(sum)".utf8), to: $0)
        }
        throw StageInterrupted()
      }
      if step == 3, context.team.rank == parameters.failing { throw Trouble() }
      let part = step % context.team.size == context.team.rank ? [UInt8(step)] : []
      sum += try context.team.gather(part).joined().reduce(0) { $0 + Int($1) }
      step += 1
    }
    try context.write("sum", json: ["sum": sum])
  }
}

/// Knows nothing of teams.
private struct Alone: Stage {
  static let name = "alone", version = 1
  static let outputs = [OutputPort("size", "json")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws { try context.write("size", json: ["size": context.team.size]) }
}

@Suite("A worker with a team", .serialized)
struct TeamWorkerTests {
  private static let registry = StageRegistry(kinds: [StageKind(Adding.self), StageKind(Alone.self)])

  private final class Folder {
    let path = NSTemporaryDirectory() + "team-worker-\(UInt64.random(in: 0 ... .max))"
    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  private func run(_ stages: String, in folder: Folder, members: Int) throws -> RunResult {
    Adding.runs.withLock { $0 = [] }
    let text = "pipeline: sums\nstages:\n" + stages
    let description = try PipelineFile(text: text, path: "sums.yaml").description(profile: nil, seed: nil, settings: [])
    let planner = Planner(
      pipeline: try Pipeline(description, registry: TeamWorkerTests.registry),
      store: try Store(path: folder.path, registry: TeamWorkerTests.registry), variables: [:],
      interruption: Interruption())
    return try Runner(
      planner: planner, options: RunOptions(),
      executor: ThreadExecutor(store: folder.path, members: members, registry: TeamWorkerTests.registry)
    ).run()
  }

  private var ranks: [Int] { Adding.runs.withLock { $0.map(\.rank) }.sorted() }

  @Test("all members run a stage that uses them; the leader alone runs others, and finds results for all")
  func called() throws {
    let folder = Folder()
    let stages = "  sum: { uses: add }\n  alone: { uses: alone }\n"
    let first = try run(stages, in: folder, members: 3)
    #expect(first.failures.isEmpty && ranks == [0, 1, 2])
    let again = try run("  sum: { uses: add }\n  other: { uses: alone }\n", in: folder, members: 2)
    #expect(again.failures.isEmpty && ranks == [])
    let alone = try run(stages, in: Folder(), members: 1)
    #expect(first.root != nil && alone.root == first.root)
  }

  @Test("an error of one member ends all of them, and the leader reports it", arguments: [0, 1, 2])
  func failing(_ rank: Int) throws {
    let result = try run("  sum: { uses: add, with: { failing: \(rank) } }\n", in: Folder(), members: 3)
    let text = result.failures.map { "\($0)" }.joined()
    #expect(text.contains("no more numbers"), "\(text)")
    if rank > 0 { #expect(text.contains("worker \(rank + 1) of 3"), "\(text)") }
    #expect(ranks == [0, 1, 2])
  }

  @Test("what one member is asked all stop for, in the same step; another number of members goes on from there")
  func stopping() throws {
    Adding.stopped.withLock { $0 = false }
    let folder = Folder()
    let stages = "  sum: { uses: add, with: { stopping: 1 } }\n"
    let first = try run(stages, in: folder, members: 3)
    #expect(first.root == nil)
    let second = try run(stages, in: folder, members: 2)
    #expect(Adding.runs.withLock { $0.map(\.step) } == [5, 5])
    #expect(second.failures.isEmpty && second.root != nil)
    Adding.stopped.withLock { $0 = true }
    #expect(try run(stages, in: Folder(), members: 1).root == second.root)
  }
}
