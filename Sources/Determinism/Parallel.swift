/// Deterministic parallel loops. The caller splits the work by shape; which thread runs an iteration never changes what
/// it computes.
///
/// A loop runs on the calling thread and on up to `threads - 1` helpers of one process-wide pool. Loops may nest and
/// may be started from several threads at once: the caller runs whatever no helper takes, so nothing waits for a thread
/// that never starts, not even where the system refuses to create one.
public enum Parallel {
  /// The number of threads that a loop started from this thread may use; 1 runs it on this thread.
  public static var threads: Int { ThreadLocal.limit.threads }

  /// Sets the number of threads for the whole process; call it before the first loop. Default: the number of processors.
  public static func configure(threads: Int) {
    precondition(threads >= 1, "Parallel: \(threads) threads")
    ThreadPool.shared.width = threads
  }

  /// The number of threads of the whole process.
  public static var allThreads: Int { ThreadPool.shared.width }

  /// Runs `body` with loops limited to `threads`, on this thread only.
  public static func withThreads<R>(_ threads: Int, _ body: () throws -> R) rethrows -> R {
    let saved = ThreadLocal.limit
    ThreadLocal.limit = .fixed(max(1, threads))
    defer { ThreadLocal.limit = saved }
    return try body()
  }

  /// Runs `body` with loops limited to a share, on this thread only. Each loop uses what the share is when it starts.
  public static func withThreads<R>(of share: ThreadShares.Share, _ body: () throws -> R) rethrows -> R {
    let saved = ThreadLocal.limit
    ThreadLocal.limit = .share(share)
    defer { ThreadLocal.limit = saved }
    return try withExtendedLifetime(share) { try body() }
  }

  /// Runs `body` with loops of one thread that are taken down, on this thread only.
  static func recording<R>(_ recorder: LoopRecorder, _ body: () throws -> R) rethrows -> R {
    let saved = ThreadLocal.limit
    ThreadLocal.limit = .recorded(recorder)
    defer { ThreadLocal.limit = saved }
    return try withExtendedLifetime(recorder) { try body() }
  }

  /// Calls `body` once for every index in `0 ..< count`, in any order and from several threads.
  ///
  /// `body` must write only to places that belong to its index.
  public static func forEach(_ count: Int, _ body: (Int) -> Void) {
    let allowed = ThreadLocal.limit
    if case .recorded(let recorder) = allowed { return recorder.run(count, body) }
    let limit = min(allowed.threads, count)
    if limit <= 1 {
      for i in 0..<max(0, count) { body(i) }
      return
    }
    withoutActuallyEscaping(body) { ThreadPool.shared.run(count: count, limit: limit, body: $0) }
  }

  /// Calls `body` for ranges of `chunk` indices, the last maybe shorter, that cover `0 ..< count`, as `forEach` does.
  public static func forEachChunk(_ count: Int, chunk: Int, _ body: (Range<Int>) -> Void) {
    precondition(chunk > 0, "forEachChunk: chunk \(chunk)")
    forEach((count + chunk - 1) / chunk) { i in
      body(i * chunk..<min(count, (i + 1) * chunk))
    }
  }

  /// The results of `body` in index order.
  public static func map<T: Sendable>(_ count: Int, _ body: (Int) -> T) -> [T] {
    [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      let base = SendablePointer(buffer.baseAddress)
      forEach(count) { i in (base.pointer! + i).initialize(to: body(i)) }
      initialized = count
    }
  }
}

extension Parallel {
  /// The results of pieces that have loops of their own, in index order.
  ///
  /// The threads of this thread's loops are divided among the pieces at work: of 64 threads each of eight pieces gets
  /// eight, and the last that are left get more.
  public static func mapSideBySide<T: Sendable>(_ count: Int, _ body: (Int) -> T) -> [T] {
    if count == 1 { return [body(0)] }
    let limit = ThreadLocal.limit
    let shares = ThreadShares { limit.threads }
    return map(count) { i in
      let share = shares.join()
      defer { shares.leave(share) }
      return withThreads(of: share) { body(i) }
    }
  }
}

/// Carries a pointer into a parallel loop whose iterations touch disjoint elements.
struct SendablePointer<T>: @unchecked Sendable {
  // Invariant: iteration i of the loop that holds this pointer touches element i alone.
  let pointer: UnsafeMutablePointer<T>?
  init(_ pointer: UnsafeMutablePointer<T>?) { self.pointer = pointer }
}
