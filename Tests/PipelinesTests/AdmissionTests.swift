import ArtifactStore
import Determinism
import PipelineFiles
import PipelineModel
import Synchronization
import Testing

@testable import PipelineRunner

@Suite("Admission of instances side by side, without files, threads or clocks")
struct AdmissionTests {
  private struct NoResults: ResultLookup {
    func cachedOutputs(of instance: Instance, ports: [OutputPort]) -> [String: Artifact]? { nil }
    func noteFailure(of key: Digest, _ message: String) {}
  }

  /// Ends the instance that has run longest whenever everything has started that may.
  private final class HoldingExecutor: Executor {
    private struct State {
      var held: [(stage: String, end: @Sendable () -> Void)] = []
      var sets: [[String]] = []
    }

    let capacity: Int
    let memory: Int?
    let processors: Int?
    /// Stages that end late: after all others that can run beside them.
    private let long: Set<String>
    /// Stages that another runner works on, and how many times they are found so.
    private let taken: Mutex<[String: Int]>
    private let state = Mutex(State())

    init(
      capacity: Int = 20, memory: Int? = 100, processors: Int? = nil, long: Set<String> = [], taken: [String: Int] = [:]
    ) {
      self.capacity = capacity
      self.memory = memory
      self.processors = processors
      self.long = long
      self.taken = Mutex(taken)
    }

    /// What ran side by side, each time that nothing more could start.
    var sets: [[String]] { state.withLock { $0.sets } }

    func submit(_ order: WorkOrder, report: @escaping @Sendable (WorkEvent) -> Void) {
      let isTaken = taken.withLock { taken in
        guard let times = taken[order.stage], times > 0 else { return false }
        taken[order.stage] = times - 1
        return true
      }
      let artifact = Artifact(kind: "json", digest: Digest(of: order.stage))
      let outcome = isTaken ? WorkOutcome.taken : .executed(["list": artifact], seconds: 0)
      state.withLock { $0.held.append((order.stage, { report(.ended(.success(outcome))) })) }
    }

    func flush() {
      let end = state.withLock { state -> (@Sendable () -> Void)? in
        guard !state.held.isEmpty else { return nil }
        state.sets.append(state.held.map(\.stage))
        return state.held.remove(at: state.held.firstIndex { !long.contains($0.stage) } ?? 0).end
      }
      end?()
    }

    func cancel() {}
  }

  /// Runs independent stages, in this order. What each claims follows from its name: `60a` takes 60 bytes.
  private func run(
    _ stages: [String], _ executor: HoldingExecutor, processors: Bool = false, notices: Recorder = Recorder()
  ) throws -> Scheduler {
    let text = stages.enumerated().map { "  s\($1): { uses: candidates, with: { genes: [\($0)] } }\n" }.joined()
    let pipeline = try Pipeline(
      PipelineFile(text: "pipeline: p\nstages:\n" + text, path: "p.yaml").description(),
      registry: TestStages.registry())
    let graph = Graph(
      pipeline: pipeline, selected: try InstanceSelection([], in: pipeline), traits: ["numerics": "1"],
      observations: [:], toolIdentity: { _ in nil }, loadElements: { _ in [] })
    var scheduler = Scheduler(
      graph: graph, results: NoResults(), executor: executor, limits: .init(threads: 8, keepsGoing: false),
      interruption: Interruption(),
      claim: { instance in
        let number = Int(instance.name.dropFirst().prefix { $0.isNumber }) ?? 0
        return processors ? Claim(processors: number) : Claim(memory: number)
      },
      order: { instance, threads in
        WorkOrder(
          instance, of: "p", trees: [:], run: "",
          allowance: .init(threads: threads, checkpointInterval: nil, sandbox: .off), environment: .null)
      }
    ) { event in
      switch event {
      case .notice(let text): notices.note(text)
      case .waiting(let stage, _): notices.note("waiting for \(stage)")
      default: break
      }
    }
    try scheduler.run()
    #expect(scheduler.executed == stages.count && scheduler.failures.isEmpty)
    return scheduler
  }

  private static let letters = "abcdefghij".map(String.init)

  @Test("ten stages that claim 60 % of memory run one after another, and small ones beside them", arguments: [1, 2])
  func sixty(_ perRound: Int) throws {
    let (large, small) = (Self.letters.map { "60\($0)" }, Self.letters.map { "10\($0)" })
    let executor = HoldingExecutor()
    _ = try run(large + small, executor)
    for set in executor.sets {
      let claims = set.map { Int($0.dropFirst().prefix(2)) ?? 0 }
      #expect(claims.count { $0 == 60 } <= 1 && claims.reduce(0, +) <= 100, "\(set)")
    }
    #expect(executor.sets[0] == ["s60a", "s10a", "s10b", "s10c", "s10d"])
  }

  @Test("what starts past an instance that waits leaves room for it")
  func noStarvation() throws {
    // s30 runs long; s80 waits for it. Only what fits beside s80 may start, though more would fit beside s30.
    let small = Self.letters.map { "15\($0)" }
    let executor = HoldingExecutor(long: ["s30", "s20"])
    _ = try run(["30", "80"] + small + ["20"], executor)
    for set in executor.sets where set.contains("s30") && set.count > 1 { #expect(set.count == 2, "\(set)") }
    // It starts as soon as s30 has ended, before what came later could take the room.
    let next = try #require(executor.sets.firstIndex { !$0.contains("s30") })
    #expect(executor.sets[next].contains("s80"), "\(executor.sets)")
  }

  @Test("an instance that waits for room starts before all that came after it")
  func turn() throws {
    let small = Self.letters.map { "40\($0)" }
    let executor = HoldingExecutor()
    _ = try run(["40x", "70"] + small, executor)
    #expect(executor.sets[0] == ["s40x"] && executor.sets[1] == ["s70"])
  }

  @Test("what takes more than there is runs alone, with one notice")
  func alone() throws {
    let (executor, notices) = (HoldingExecutor(), Recorder())
    _ = try run(["10a", "500", "0", "10b"], executor, notices: notices)
    #expect(executor.sets.filter { $0.contains("s500") } == [["s500"]])
    #expect(notices.notes.count == 1 && notices.notes[0].hasPrefix("'s500' takes about"), "\(notices.notes)")
    #expect(notices.notes[0].hasSuffix("it runs alone"))
  }

  @Test("processors that stages ask for are counted, too; the others run beside them")
  func processors() throws {
    let executor = HoldingExecutor(memory: nil, processors: 8)
    _ = try run(["6a", "6b", "0a", "0b"], executor, processors: true)
    #expect(executor.sets[0] == ["s6a", "s0a", "s0b"])
  }

  @Test("an executor without limits gets all that have a slot")
  func unlimited() throws {
    let executor = HoldingExecutor(capacity: 3, memory: nil)
    _ = try run(["900a", "900b", "900c", "900d"], executor)
    #expect(executor.sets[0].count == 3)
  }

  @Test("an order that another runner works on takes no slot; others go on, and it is looked at again")
  func taken() throws {
    let (executor, notices) = (HoldingExecutor(capacity: 1, taken: ["s1a": 2, "s1b": 1]), Recorder())
    _ = try run(["1a", "1b", "1c", "1d"], executor, notices: notices)
    // Found taken, both are passed over; each end of another one is a reason to look again.
    #expect(executor.sets.map { $0[0] } == ["s1a", "s1b", "s1c", "s1d", "s1a", "s1b", "s1a"])
    #expect(notices.notes == [])
  }

  @Test("where only such are left, it says so once and waits")
  func waiting() throws {
    let (executor, notices) = (HoldingExecutor(taken: ["s1a": 3]), Recorder())
    _ = try run(["1a"], executor, notices: notices)
    #expect(executor.sets.count == 4 && notices.notes == ["waiting for s1a"])
  }
}
