import ArtifactStore
import Determinism
import PipelineFiles
import PipelineModel
import Synchronization
import Testing

@testable import PipelineRunner

@Suite("Scheduler, without files, threads or clocks")
struct SchedulerTests {
  /// Results by key, in memory.
  private final class MemoryResults: ResultLookup {
    var known: [Digest: [String: Artifact]] = [:]
    private(set) var failures: [String] = []

    func cachedOutputs(of instance: Instance, ports: [OutputPort]) -> [String: Artifact]? { known[instance.key] }
    func noteFailure(of key: Digest, _ message: String) { failures.append(message) }
  }

  /// Ends every order when it is submitted, or holds orders of `judge` until there are enough.
  private final class ScriptedExecutor: Executor {
    struct Order: Equatable {
      let stage: String
      let threads: Int
    }
    private struct State {
      var orders: [Order] = []
      var held: [@Sendable () -> Void] = []
      var refusals = 0
    }

    let capacity: Int
    private let failing: Set<String>
    private let holds: Int
    private let state = Mutex(State())
    let results: [Digest: [String: Artifact]] = [:]

    /// - Parameters:
    ///   - failing: stages that fail.
    ///   - holds: the number of instances of `judge` that end together.
    ///   - refusals: the number of orders refused while another one is held.
    init(capacity: Int = 1, failing: Set<String> = [], holds: Int = 1, refusals: Int = 0) {
      self.capacity = capacity
      self.failing = failing
      self.holds = holds
      state.withLock { $0.refusals = refusals }
    }

    var orders: [Order] { state.withLock { $0.orders } }
    var stages: [String] { orders.map(\.stage) }

    func submit(_ order: WorkOrder, report: @escaping @Sendable (WorkEvent) -> Void) throws {
      let isRefused = state.withLock { state in
        guard state.refusals > 0, !state.held.isEmpty else { return false }
        state.refusals -= 1
        return true
      }
      if isRefused {
        release()
        throw PipelineError(.io, "no room")
      }
      let outcome: Result<WorkOutcome, any Error> =
        failing.contains(order.stage)
        ? .failure(PipelineError(.badArtifact, "\(order.stage) is meant to fail"))
        : .success(.executed(SchedulerTests.outputs(of: order.stage), seconds: 0))
      let count = state.withLock { state in
        state.orders.append(Order(stage: order.stage, threads: order.allowance.threads))
        state.held.append { report(.ended(outcome)) }
        return state.held.count
      }
      if count == holds || !order.stage.hasPrefix("judge") { release() }
    }

    private func release() {
      let held = state.withLock { state in
        defer { state.held = [] }
        return state.held
      }
      for end in held { end() }
    }

    func cancel() {}
  }

  private static let array = Artifact(kind: "json", digest: Digest(of: "array"))

  private static func outputs(of stage: String) -> [String: Artifact] {
    func artifact(_ kind: String, _ name: String) -> Artifact {
      Artifact(kind: kind, digest: Digest(of: "\(name) of \(stage)"))
    }
    switch stage.prefix(while: { $0 != "[" }) {
    case "pretrain": return ["weights": artifact("json", "weights")]
    case "pool": return ["list": array]
    case "judge": return ["quality": artifact("json", "quality")]
    default: return ["board": artifact("json", "board"), "pictures": artifact("tree", "pictures")]
    }
  }

  /// A scheduler of a pipeline with three candidates, which are evaluated and gathered.
  private func scheduler(
    _ results: MemoryResults, _ executor: ScriptedExecutor, threads: Int = 1, keepsGoing: Bool = false,
    observer: @escaping @Sendable (RunEvent) -> Void = { _ in }
  ) throws -> Scheduler {
    let pipeline = try Pipeline(
      PipelineFile(text: TestPipelines.search, path: "search.yaml").description(), registry: TestStages.registry())
    let graph = Graph(
      pipeline: pipeline, selected: try InstanceSelection([], in: pipeline), traits: ["numerics": "1"],
      observations: [:],
      toolIdentity: { _ in nil }, loadElements: { _ in [.json(["gene": 3]), .json(["gene": 1]), .json(["gene": 2])] })
    return Scheduler(
      graph: graph, results: results, executor: executor,
      limits: Scheduler.Limits(threads: threads, keepsGoing: keepsGoing), interruption: Interruption(),
      order: { instance, threads in
        WorkOrder(
          instance, of: pipeline.name, trees: [:], run: "",
          allowance: .init(threads: threads, checkpointInterval: 0, sandbox: .off), environment: .null)
      }, observer: observer)
  }

  @Test("each instance is executed once, after the instances it reads")
  func order() throws {
    let executor = ScriptedExecutor()
    var scheduler = try scheduler(MemoryResults(), executor)
    try scheduler.run()
    #expect(executor.stages == ["pretrain", "pool", "judge[0]", "judge[1]", "judge[2]", "select"])
    #expect(scheduler.executed == 6 && scheduler.cached == 0 && scheduler.graph.root != nil)
  }

  @Test("cached instances are not executed, and instances that depend on them are looked up at once")
  func known() throws {
    let results = MemoryResults()
    var first = try scheduler(results, ScriptedExecutor())
    try first.run()
    for stage in first.graph.wanted {
      for slot in first.graph.instances(of: stage) where slot.instance!.name != "judge[1]" {
        results.known[slot.instance!.key] = slot.outputs
      }
    }
    let executor = ScriptedExecutor()
    let recorder = Recorder()
    var second = try scheduler(results, executor) { event in
      if case .cached(let stage, _) = event { recorder.note(stage) }
    }
    try second.run()
    #expect(executor.stages == ["judge[1]"])
    #expect(recorder.notes == ["pretrain", "pool", "judge[0]", "judge[2]", "select"])
    #expect(second.graph.root == first.graph.root)
  }

  @Test("after a failure nothing is started, or with keepsGoing everything that does not depend on it")
  func failures() throws {
    let (results, executor) = (MemoryResults(), ScriptedExecutor(failing: ["judge[0]"]))
    var stopping = try scheduler(results, executor)
    try stopping.run()
    #expect(executor.stages == ["pretrain", "pool", "judge[0]"])
    #expect(stopping.failures.map(\.stage) == ["judge[0]"] && results.failures == ["judge[0] is meant to fail"])

    let another = ScriptedExecutor(failing: ["judge[0]"])
    var going = try scheduler(MemoryResults(), another, keepsGoing: true)
    try going.run()
    #expect(another.stages == ["pretrain", "pool", "judge[0]", "judge[1]", "judge[2]"])
    #expect(going.graph.root == nil)
  }

  @Test("concurrent instances share the threads; a single instance gets all of them")
  func threads() throws {
    let executor = ScriptedExecutor(capacity: 3, holds: 3)
    var scheduler = try scheduler(MemoryResults(), executor, threads: 8)
    try scheduler.run()
    #expect(executor.orders.map(\.threads) == [8, 8, 2, 2, 2, 8])
  }

  @Test("an order that the executor refuses is submitted again when another one has ended")
  func refused() throws {
    let executor = ScriptedExecutor(capacity: 2, holds: 2, refusals: 1)
    var scheduler = try scheduler(MemoryResults(), executor)
    try scheduler.run()
    #expect(executor.stages == ["pretrain", "pool", "judge[0]", "judge[1]", "judge[2]", "select"])
    #expect(scheduler.failures.isEmpty)
  }
}
