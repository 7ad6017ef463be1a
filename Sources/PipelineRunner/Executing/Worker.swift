import ArtifactStore
import Determinism
import PipelineModel

/// Executes work orders, one after the other or side by side, on the threads of its callers.
///
/// It needs no pipeline: it rebuilds each stage from the order. A runner tells its own worker what it knows already.
public final class Worker: Sendable {
  public let interruption: Interruption
  package let store: Store
  private let host: StageHost
  private let trees: [Digest: SourceTree]
  private let node: @Sendable (WorkOrder) -> Pipeline.StageNode?

  /// A worker of another process than the runner's.
  /// - Parameter searchPath: where programs are looked for; nil for the usual folders.
  public convenience init(store: Store, searchPath: String? = nil, interruption: Interruption = Interruption()) {
    self.init(
      store: store, host: store.host(searchPath: searchPath), interruption: interruption, trees: [:], node: { _ in nil }
    )
  }

  /// - Parameters:
  ///   - trees: folders of sources that were looked at.
  ///   - node: the stage of an order, where it is known without its registry.
  package init(
    store: Store, host: StageHost, interruption: Interruption, trees: [Digest: SourceTree],
    node: @escaping @Sendable (WorkOrder) -> Pipeline.StageNode?
  ) {
    self.store = store
    self.host = host
    self.interruption = interruption
    self.trees = trees
    self.node = node
  }

  /// Executes an order, or finds its result in the store, and reports how it ended.
  /// - Parameters:
  ///   - threads: of loops of this process; nil for as many as the order says.
  ///   - waitsForOthers: whether to wait where another runner works on the order; else it ends at once as `taken`.
  public func run(
    _ order: WorkOrder, threads: ThreadShares.Share? = nil, waitsForOthers: Bool = true,
    report: @escaping @Sendable (WorkEvent) -> Void
  ) {
    let result = Result {
      var execution = try execution(of: order) { report(.event($0)) }
      execution.share = threads
      execution.waitsForOthers = waitsForOthers
      return try execution.perform {
        try store.cachedOutputs(of: order.key, ports: execution.node.kind.outputs, stage: order.stage)
      } computed: {
        report(.computed)
      }
    }
    report(.ended(result))
  }

  /// - Throws: code `notRestorable` where this program would do something else than the order says; code
  ///   `missingSource` where the files of a source are not those that the order was made for.
  package func execution(
    of order: WorkOrder, observer: @escaping @Sendable (RunEvent) -> Void
  ) throws -> Execution {
    if host.policy == nil { host.allow(order.allowance.sandbox) }
    let stage: RestoredStage
    if let node = node(order) {
      stage = RestoredStage(
        node: node, tools: try node.prepared.tools?.identity(on: host, stage: order.stage).paths ?? [:])
    } else {
      stage = try RestoredStage(order.identity, stage: order.stage, in: store, host: host) { why in
        PipelineError(.notRestorable, "'\(order.stage)' can't be executed by this program: \(why)")
      }
    }
    var trees = [Digest: SourceTree]()
    for (digest, root) in order.roots {
      // What the store has itself is not read from where it came from.
      let isStored = store.hasObject(Artifact(kind: TreeFormat.name, digest: digest))
      if self.trees[digest] == nil, isStored { continue }
      trees[digest] = try self.trees[digest] ?? SourceTree(digest, at: root, for: order.stage, in: store)
    }
    return Execution(
      order: order, node: stage.node, tools: stage.tools, sources: trees, store: store, interruption: interruption,
      observer: observer)
  }
}
