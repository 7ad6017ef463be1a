import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner
import Synchronization
import Testing

/// An executor that works from the text of each order alone, as another process would: it opens the store itself and
/// shares nothing with the runner.
private final class TextExecutor: Executor {
  let capacity = 2
  private let store: String
  private let registry: StageRegistry
  private let interruption = Interruption()
  private let texts = Mutex<[String]>([])

  init(store: String, registry: StageRegistry) {
    self.store = store
    self.registry = registry
  }

  var orders: [WorkOrder] {
    get throws {
      try texts.withLock { $0 }.map { try CanonicalValue(json: Array($0.utf8)).decoded(as: WorkOrder.self) }
    }
  }

  func submit(_ order: WorkOrder, report: @escaping @Sendable (WorkEvent) -> Void) throws {
    let text = try CanonicalValue(encoding: order).canonicalText
    texts.withLock { $0.append(text) }
    try startThread(named: order.stage, stackBytes: deepStackBytes) { [store, registry, interruption] in
      do {
        let received = try CanonicalValue(json: Array(text.utf8)).decoded(as: WorkOrder.self)
        let store = try Store(path: store, registry: registry)
        Worker(store: store, interruption: interruption).run(received, report: report)
      } catch {
        report(.ended(.failure(error)))
      }
    }
  }

  func cancel() { interruption.request() }
}

@Suite("An executor that a program adds")
struct NewExecutorTests {
  private static let pipeline = """
    pipeline: search
    seed: 7
    stages:
      data: { uses: folder }
      pretrain: { uses: train, needs: { data: data.train } }
      pool: { uses: candidates, with: { genes: [3, 1, 2] } }
      judge:
        uses: evaluate
        for-each: pool.list
        needs: { architecture: each, weights: pretrain.weights }
      select: { uses: gather, needs: { qualities: judge.quality } }
      count:
        uses: command
        needs: { text: data.train }
        with:
          run: ls text | wc -l > n.txt
          tools: [ls, wc]
          outputs: { n: n.txt }
      again:
        uses: command
        for-each: data.train
        needs: { file: each }
        with: { run: [cp, file, copy.txt], outputs: { copy: copy.txt } }
    """

  private func bench() throws -> Bench {
    let bench = try Bench()
    try Files.makeFolder(bench.folder + "/data/train/deep")
    try save("one", to: bench.folder + "/data/train/a.txt")
    try save("two", to: bench.folder + "/data/train/deep/b.txt")
    bench.variables["TEST_DATA"] = bench.folder + "/data"
    return bench
  }

  @Test("an executor that works from serialised orders gets the same root as the local one")
  func sameRoot() throws {
    let (here, there) = (try bench(), try bench())
    let expected = try here.run(Self.pipeline)
    #expect(expected.result.failures.isEmpty)
    let executor = TextExecutor(store: there.storePath, registry: there.registry)
    let runner = Runner(planner: try there.planner(Self.pipeline), options: there.options, executor: executor)
    let result = try runner.run()
    #expect(result.failures.isEmpty)
    #expect(result.root != nil && result.root == expected.result.root)
    // The source is not among them: the runner records it itself.
    #expect(try Set(executor.orders.map(\.stage)) == Set(expected.executed))
    #expect(try there.audit().isSound)
    #expect(try there.run(Self.pipeline).executed == [])
  }

  @Test("an order whose files have changed is refused")
  func refused() throws {
    let bench = try bench()
    let executor = TextExecutor(store: bench.storePath, registry: bench.registry)
    _ = try Runner(planner: try bench.planner(Self.pipeline), options: bench.options, executor: executor).run()
    let order = try #require(executor.orders.first { $0.stage == "count" })
    try save("more than before", to: bench.folder + "/data/train/a.txt")
    let ends = Mutex<[String]>([])
    // The key has no result yet, so the work has to be done.
    var text = try CanonicalValue(encoding: order)
    text = try #require(Self.changed(text))
    let another = try text.decoded(as: WorkOrder.self)
    Worker(store: try bench.store()).run(another) { event in
      if case .ended(.failure(let error)) = event { ends.withLock { $0.append("\(error)") } }
    }
    #expect(ends.withLock { $0 }.count == 1)
    #expect(ends.withLock { $0 }.first?.contains("a.txt as it was, with 3 bytes; it changed") == true)
  }

  /// The order with a parameter of another value, and so with another key.
  private static func changed(_ order: CanonicalValue) -> CanonicalValue? {
    guard var members = order.objectValue, var identity = members["identity"]?.objectValue,
      var parameters = identity["parameters"]?.objectValue
    else { return nil }
    parameters["run"] = "ls text > n.txt"
    identity["parameters"] = .object(parameters)
    members["identity"] = .object(identity)
    members["key"] = .string(CanonicalValue.object(identity).digest.hex)
    return .object(members)
  }
}
