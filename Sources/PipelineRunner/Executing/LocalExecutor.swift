import Determinism
import PipelineModel

/// Executes each order on a thread of its own in this process, so a stage may block.
public final class LocalExecutor: Executor {
  public let capacity: Int
  private let worker: Worker

  /// - Parameter capacity: orders side by side at most.
  public init(worker: Worker, capacity: Int) {
    precondition(capacity >= 1, "capacity \(capacity)")
    self.worker = worker
    self.capacity = capacity
  }

  public func submit(_ order: WorkOrder, report: @escaping @Sendable (WorkEvent) -> Void) throws {
    try startThread(named: order.stage, stackBytes: deepStackBytes) { [worker] in worker.run(order, report: report) }
  }

  public func cancel() { worker.interruption.request() }
}
