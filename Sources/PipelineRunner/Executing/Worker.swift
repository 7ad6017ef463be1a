import ArtifactStore
import Determinism
import PipelineModel

/// Executes work orders, one after the other or side by side, on the threads of its callers.
///
/// It needs no pipeline: it rebuilds each stage from the order. A runner tells its own worker what it knows already.
public final class Worker: Sendable {
  public let interruption: Interruption
  /// The processes that execute every order together; this one leads them or assists.
  public let team: any Team
  package let store: Store
  private let host: StageHost
  private let trees: [Digest: SourceTree]
  private let node: @Sendable (WorkOrder) -> Pipeline.StageNode?

  /// A worker of another process than the runner's.
  /// - Parameter searchPath: where programs are looked for; nil for the usual folders.
  public convenience init(
    store: Store, searchPath: String? = nil, interruption: Interruption = Interruption(), team: any Team = SoloTeam()
  ) {
    self.init(
      store: store, host: store.host(searchPath: searchPath), interruption: interruption, team: team, trees: [:],
      node: { _ in nil })
  }

  /// - Parameters:
  ///   - trees: folders of sources that were looked at.
  ///   - node: the stage of an order, where it is known without its registry.
  package init(
    store: Store, host: StageHost, interruption: Interruption, team: any Team = SoloTeam(),
    trees: [Digest: SourceTree], node: @escaping @Sendable (WorkOrder) -> Pipeline.StageNode?
  ) {
    self.store = store
    self.host = host
    self.interruption = interruption
    self.team = team
    self.trees = trees
    self.node = node
  }

  /// Executes an order, or finds its result in the store, and reports how it ended. The leader of a team calls this,
  /// the others `assist`.
  /// - Parameters:
  ///   - threads: of loops of this process; nil for as many as the order says.
  ///   - waitsForOthers: whether to wait where another runner works on the order; else it ends at once as `taken`.
  public func run(
    _ order: WorkOrder, threads: ThreadShares.Share? = nil, waitsForOthers: Bool = true,
    report: @escaping @Sendable (WorkEvent) -> Void
  ) {
    precondition(team.isLeader, "Worker: rank \(team.rank) leads no team")
    let call = TeamCall(team, key: order.key)
    let result = Result { () throws -> WorkOutcome in
      do {
        var execution = try execution(of: order) { report(.event($0)) }
        execution.share = threads
        execution.waitsForOthers = waitsForOthers
        return try outcome(of: execution, call: call) { report(.computed) }
      } catch {
        if call.isMade { team.fail(with: error) }
        if (error as? TeamFailure)?.code == TeamFailure.interrupted {
          interruption.request()
          throw StageInterrupted()
        }
        throw error
      }
    }
    report(.ended(result))
  }

  private func outcome(of execution: Execution, call: TeamCall, computed: () -> Void) throws -> WorkOutcome {
    let order = execution.order
    if order.purpose == .compare {
      return .compared(try execution.rehearse(record: try store.record(order.key), with: call))
    }
    return try execution.perform(with: call) {
      let outputs = try store.cachedOutputs(of: order.key, ports: execution.node.kind.outputs, stage: order.stage)
      guard order.purpose == .restore, let outputs else { return outputs }
      return try outputs.values.allSatisfy { try store.damageOfContent($0) == nil } ? outputs : nil
    } computed: {
      computed()
    }
  }

  /// Takes part in the orders that the leader of the team calls to, until `dismissTeam`. Nothing is written and nothing
  /// reported.
  /// - Parameter orders: those that the leader was given.
  /// - Throws: what kept this member from taking part, which the leader's order fails with too; `TeamFailure` where
  ///   another member failed.
  public func assist(_ orders: [WorkOrder]) throws {
    precondition(!team.isLeader, "Worker: the leader assists nobody")
    do {
      while let key = try TeamCall.next(from: team) {
        guard let order = orders.first(where: { $0.key == key }) else {
          throw PipelineError(.notRestorable, "the team's leader was given an order \(key.short) that is not here")
        }
        try execution(of: order, observer: { _ in }).assist(team)
      }
    } catch {
      team.fail(with: error)
      throw error
    }
  }

  /// Lets those go that `assist`: the leader runs no more orders. Of a team that failed they have gone.
  public func dismissTeam() { try? TeamCall.end(team) }

  /// - Throws: code `notRestorable` where this program would do something else than the order says; code
  ///   `missingSource` where the files of a source are not those that the order was made for.
  package func execution(
    of order: WorkOrder, observer: @escaping @Sendable (RunEvent) -> Void
  ) throws -> Execution {
    if host.policy == nil { host.allow(order.allowance.sandbox) }
    let stage: RestoredStage
    if let node = node(order) {
      stage = RestoredStage(
        node: node, tools: try node.tools(on: host) ?? ToolIdentity())
    } else {
      stage = try RestoredStage(
        order.identity, stage: order.stage, environment: order.place, in: store, host: host
      ) { why in
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
