/// Deterministic parallel loops. The caller splits the work by shape; which thread runs an iteration never changes what
/// it computes.
///
/// A loop runs on the calling thread and on up to `threads - 1` helpers of one process-wide pool. Loops may nest and
/// may be started from several threads at once: the caller runs whatever no helper takes, so nothing waits for a thread
/// that never starts, not even where the system refuses to create one.
public enum Parallel {
  /// The number of threads that a loop started from this thread may use; 1 runs it on this thread.
  public static var threads: Int {
    get { ThreadLocal.threads > 0 ? ThreadLocal.threads : ThreadPool.shared.width }
  }

  /// Sets the number of threads for the whole process; call it before the first loop. Default: the number of processors.
  public static func configure(threads: Int) {
    precondition(threads >= 1, "Parallel: \(threads) threads")
    ThreadPool.shared.width = threads
  }

  /// Runs `body` with loops limited to `threads`, on this thread only.
  public static func withThreads<R>(_ threads: Int, _ body: () throws -> R) rethrows -> R {
    let saved = ThreadLocal.threads
    ThreadLocal.threads = max(1, threads)
    defer { ThreadLocal.threads = saved }
    return try body()
  }

  /// Calls `body` once for every index in `0 ..< count`, in any order and from several threads.
  ///
  /// `body` must write only to places that belong to its index.
  public static func forEach(_ count: Int, _ body: (Int) -> Void) {
    let limit = min(threads, count)
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

/// Carries a pointer into a parallel loop whose iterations touch disjoint elements.
struct SendablePointer<T>: @unchecked Sendable {
  // Invariant: iteration i of the loop that holds this pointer touches element i alone.
  let pointer: UnsafeMutablePointer<T>?
  init(_ pointer: UnsafeMutablePointer<T>?) { self.pointer = pointer }
}
