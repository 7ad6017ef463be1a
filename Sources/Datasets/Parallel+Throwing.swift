import Determinism

extension Parallel {
  /// The results of `body` in index order; of several errors, the one of the lowest index.
  static func throwingMap<T: Sendable>(_ count: Int, _ body: (Int) throws -> T) throws -> [T] {
    try map(count) { i in Result { try body(i) } }.map { try $0.get() }
  }
}
