import Determinism

/// Independent pieces of work on the threads of the stage, which are divided among them; one piece alone gets all.
enum SideBySide {
  /// The results of `body` in index order.
  static func map<T>(_ count: Int, _ body: (Int) -> T) -> [T] {
    Parallel.mapSideBySide(count) { Box(value: body($0)) }.map(\.value)
  }

  private struct Box<T>: @unchecked Sendable {
    // Invariant: made by one iteration of a parallel loop, read after the loop.
    let value: T
  }
}
