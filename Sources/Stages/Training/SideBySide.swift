import Determinism

/// Independent pieces of work on the threads of the stage, each with loops of one thread; one piece alone gets all
/// threads for its loops.
enum SideBySide {
  /// The results of `body` in index order.
  static func map<T>(_ count: Int, _ body: (Int) -> T) -> [T] {
    if count == 1 { return [body(0)] }
    return Parallel.map(count) { i in Parallel.withThreads(1) { Box(value: body(i)) } }.map(\.value)
  }

  private struct Box<T>: @unchecked Sendable {
    // Invariant: made by one iteration of a parallel loop, read after the loop.
    let value: T
  }
}
