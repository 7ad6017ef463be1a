import Synchronization

/// Thrown by a stage that stops on request. Its checkpoints are kept.
public struct StageInterrupted: Error, Sendable {
  public init() {}
}

/// A request to stop, set by a signal handler and checked by stages and runners.
public final class Interruption: Sendable {
  private let flag = Atomic<Bool>(false)

  public init() {}

  /// Safe in a signal handler.
  /// - Returns: whether it was requested before.
  @discardableResult
  public func request() -> Bool { flag.exchange(true, ordering: .acquiringAndReleasing) }

  public var isRequested: Bool { flag.load(ordering: .acquiring) }
}
