import Determinism
import PipelineModel

/// Where work orders are executed: threads of this process, or something else that sees the same store.
///
/// ```swift
/// let runner = Runner(planner: planner, options: options, executor: MyExecutor())
/// ```
public protocol Executor: Sendable {
  /// Orders that may be computing at once.
  var capacity: Int { get }

  /// Bytes that orders which compute may claim together; nil where memory is not the executor's concern.
  var memory: Int? { get }

  /// Processors that they may claim together; nil as above.
  var processors: Int? { get }

  /// Starts an order, at the latest when `flush` is called, and returns at once.
  /// - Parameter report: takes what happens, from any thread, in its order; `ended` comes once, and last.
  /// - Throws: where the order can't be started now. The runner submits it again when another one has ended.
  func submit(_ order: WorkOrder, report: @escaping @Sendable (WorkEvent) -> Void) throws

  /// Says that no more orders come for now: what is collected may start.
  func flush() throws

  /// Asks everything that was submitted to stop. What stops saves a checkpoint and ends with `StageInterrupted`.
  func cancel()
}

extension Executor {
  public var memory: Int? { nil }
  public var processors: Int? { nil }
  public func flush() {}
}

/// What happens to a work order.
public enum WorkEvent: Sendable {
  /// For displays and the journal.
  case event(RunEvent)
  /// Nothing is left to compute; the result is on its way to the disk.
  case computed
  case ended(Result<WorkOutcome, any Error>)
}

/// How a work order ended that did not fail.
public enum WorkOutcome: Sendable {
  case executed([String: Artifact], seconds: Double)
  /// Somebody else finished it first.
  case found([String: Artifact])
  /// It was executed to be compared with its record.
  case compared(RerunReport.InstanceReport)
  /// Another runner works on it now; nothing was done.
  case taken
}
