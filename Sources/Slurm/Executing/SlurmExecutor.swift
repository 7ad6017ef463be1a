import ArtifactStore
import Determinism
import Foundation
import PipelineModel
import PipelineRunner

/// Executes orders as elements of array jobs of Slurm.
///
/// Orders that come together and ask for the same go into one array: a wave. Its workers leave records in the store and
/// letters in the wave's folder; one thread here looks at letters and queue. Jobs live on without their runner: the next
/// one that wants the same result finds them and waits for them.
public final class SlurmExecutor: Executor, @unchecked Sendable {
  // Invariant: `pending`, `isPolling` and `leftovers` are touched only under `condition`. Of `desk`, what is not safe for
  // any thread is touched by the polling thread, of which there is one at a time, or before there is one.

  /// What to do with jobs when the runner is to stop.
  public enum Leftovers: Sendable { case leave, cancel }

  public var capacity: Int { settings.limit }
  private let settings: SlurmSettings
  private let decide: @Sendable (_ orders: Int) -> Leftovers

  private let condition = NSCondition()
  private var pending: [WaveDesk.Work] = []
  private var isPolling = false
  /// What becomes of jobs; nil until the runner is to stop.
  private var leftovers: Leftovers?
  private let desk: WaveDesk

  /// - Parameters:
  ///   - notice: takes what people should know of the cluster.
  ///   - decide: asked what becomes of jobs when the run is interrupted.
  /// - Throws: code `missingTool` where Slurm is not there.
  public convenience init(
    store: Store, settings: SlurmSettings, notice: @escaping @Sendable (String) -> Void,
    decide: @escaping @Sendable (_ orders: Int) -> Leftovers
  ) throws {
    let cluster = try SlurmCluster()
    // A cluster that does not answer later on is waited for; one that never did is not set up.
    let (queue, complaint) = try cluster.queue(of: store.path)
    guard queue != nil else {
      throw PipelineError(
        .io, "Slurm does not answer: \(complaint). 'sinfo' tells whether this machine belongs to a cluster")
    }
    try self.init(store: store, settings: settings, cluster: cluster, notice: notice, decide: decide)
    // Also where nothing is left to submit: what a runner left that died is ended.
    if !store.isObserved { desk.findLiving() }
  }

  package init(
    store: Store, settings: SlurmSettings, cluster: any Cluster, notice: @escaping @Sendable (String) -> Void,
    decide: @escaping @Sendable (_ orders: Int) -> Leftovers
  ) throws {
    self.settings = settings
    self.decide = decide
    desk = try WaveDesk(store: store, settings: settings, cluster: cluster, notice: notice)
  }

  public func submit(_ order: WorkOrder, report: @escaping @Sendable (WorkEvent) -> Void) throws {
    condition.withLock { pending.append(WaveDesk.Work(order: order, report: report)) }
  }

  public func flush() throws {
    try condition.withLock {
      guard !pending.isEmpty, !isPolling else { return condition.signal() }
      isPolling = true
      try startThread(named: "slurm", stackBytes: deepStackBytes) { [self] in poll() }
    }
  }

  public func cancel() {
    let count = condition.withLock { pending.count } + desk.openCount
    let choice = count > 0 ? decide(count) : .leave
    desk.stopping.request()
    condition.withLock {
      leftovers = choice
      condition.signal()
    }
  }

  /// The scripts of the jobs that some orders would be submitted with.
  public func scripts(of orders: [WorkOrder]) throws -> [String] { try desk.scripts(of: orders) }

  /// Works until nothing is left that somebody waits for.
  private func poll() {
    var isEarly = true
    while true {
      var isEnd = false
      condition.lock()
      if pending.isEmpty && leftovers == nil && !isEarly {
        _ = condition.wait(until: Date(timeIntervalSinceNow: settings.pollInterval))
      }
      isEarly = false
      let batch = pending
      pending = []
      let stops = leftovers
      condition.unlock()
      desk.place(batch)
      if let stops { desk.stop(cancelling: stops == .cancel) } else { desk.look() }
      condition.lock()
      if desk.openCount == 0 && pending.isEmpty {
        isPolling = false
        isEnd = true
      }
      condition.unlock()
      if isEnd { return }
    }
  }
}
