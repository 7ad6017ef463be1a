import Determinism
import PipelineModel

/// Executes each order on a thread of its own in this process, so a stage may block.
///
/// The threads of loops are divided among the orders that compute. A share grows when another order ends: a training
/// that runs for hours does not continue with half of the threads because a short stage happened to run when it began.
public final class LocalExecutor: Executor {
  public let capacity: Int
  public let memory: Int?
  public let processors: Int?
  private let worker: Worker
  private let shares: ThreadShares

  /// - Parameters:
  ///   - capacity: orders side by side at most.
  ///   - threads: of all orders together.
  ///   - memory: bytes that orders side by side may claim; nil for no limit.
  public init(worker: Worker, capacity: Int, threads: Int, memory: Int? = nil) {
    precondition(capacity >= 1 && threads >= 1, "capacity \(capacity), \(threads) threads")
    self.worker = worker
    self.capacity = capacity
    self.memory = memory
    processors = threads
    shares = ThreadShares { threads }
  }

  public func submit(_ order: WorkOrder, report: @escaping @Sendable (WorkEvent) -> Void) throws {
    let share = shares.join(atMost: order.resources.cpus ?? .max)
    do {
      try startThread(named: order.stage, stackBytes: deepStackBytes) { [worker, shares] in
        worker.run(order, threads: share, waitsForOthers: false) { event in
          switch event {
          case .computed, .ended: shares.leave(share)
          case .event: break
          }
          report(event)
        }
      }
    } catch {
      shares.leave(share)
      throw error
    }
  }

  public func cancel() { worker.interruption.request() }
}
