import Determinism
import Foundation

/// Makes the batches of coming steps on threads of its own while the caller works. They arrive in order, and each is
/// what the maker makes of its step alone, so neither threads nor depth change anything.
public final class Prefetcher<Batch: Sendable>: Sendable {
  private let line: Line<Batch>

  /// - Parameters:
  ///   - steps: the first step wanted and the first one that is not.
  ///   - depth: most batches held ahead.
  ///   - workers: threads that make batches.
  ///   - make: the batch of a step. Runs on the workers, each with loops of one thread.
  public init(
    steps: Range<Int>, depth: Int = 4, workers: Int = 1, make: @escaping @Sendable (Int) throws -> Batch
  ) {
    precondition(depth > 0 && workers > 0, "Prefetcher: depth \(depth), \(workers) workers")
    line = Line(steps: steps, depth: depth, make: make)
    for _ in 0..<min(workers, depth) {
      // JPEG and PNG decoders, and JSON, need more than the 512 KiB a thread gets by default on some systems.
      let started: Void? = try? startThread(named: "prefetch", stackBytes: 8 << 20) { [line] in
        Parallel.withThreads(1) { line.work() }
      }
      // Without any worker, since the system refuses threads, the caller makes each batch when it asks for it.
      if started != nil { line.isWorked = true }
    }
  }

  deinit { line.stop() }

  /// How far the workers are ahead of the caller.
  public struct Lead: Hashable, Sendable {
    /// Batches that are ready and not yet taken.
    public var ready = 0
    /// Times the caller had to wait for a batch. The first batch mostly is.
    public var waits = 0
  }

  public var lead: Lead { line.lead }

  /// The batch of the next step; nil after the last. Waits until it is there.
  /// - Throws: what the maker threw for this step.
  public func next() throws -> Batch? { try line.take() }
}

/// The steps in the making and the batches that are ready.
private final class Line<Batch: Sendable>: @unchecked Sendable {
  // Invariant: everything mutable is touched only under `condition`.
  private let condition = NSCondition()
  private var ready: [Int: Result<Batch, any Error>] = [:]
  private var nextToMake: Int
  private var nextToTake: Int
  private var isStopped = false
  /// Whether there is a thread that makes batches. Set before the first is taken, and not changed afterwards.
  var isWorked = false
  private var waits = 0
  private let end: Int
  private let depth: Int
  private let make: @Sendable (Int) throws -> Batch

  init(steps: Range<Int>, depth: Int, make: @escaping @Sendable (Int) throws -> Batch) {
    nextToMake = steps.lowerBound
    nextToTake = steps.lowerBound
    end = steps.upperBound
    self.depth = depth
    self.make = make
  }

  func work() {
    while let step = claim() {
      let batch = Result { try make(step) }
      condition.withLock {
        ready[step] = batch
        condition.broadcast()
      }
    }
  }

  private func claim() -> Int? {
    condition.withLock {
      while !isStopped && nextToMake < end && nextToMake - nextToTake >= depth { condition.wait() }
      guard !isStopped, nextToMake < end else { return nil }
      defer { nextToMake += 1 }
      return nextToMake
    }
  }

  func take() throws -> Batch? {
    if !isWorked, let step = claim() {
      let batch = Result { try Parallel.withThreads(1) { try make(step) } }
      condition.withLock { ready[step] = batch }
    }
    return try condition.withLock {
      guard nextToTake < end else { return nil }
      if ready[nextToTake] == nil { waits += 1 }
      while ready[nextToTake] == nil { condition.wait() }
      let batch = ready.removeValue(forKey: nextToTake)!
      nextToTake += 1
      condition.broadcast()
      return try batch.get()
    }
  }

  var lead: Prefetcher<Batch>.Lead { condition.withLock { .init(ready: ready.count, waits: waits) } }

  func stop() {
    condition.withLock {
      isStopped = true
      condition.broadcast()
    }
  }
}
