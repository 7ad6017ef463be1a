import Determinism

/// What readers and generators share.
enum DatasetFiles {
  /// `7` with 12 digits is `000000000007`.
  static func paddedName(_ number: Int, digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }

  /// The results of `body` in index order; of several errors, the one of the lowest index.
  static func inParallel<T: Sendable>(_ count: Int, _ body: (Int) throws -> T) throws -> [T] {
    try Parallel.map(count) { i in Result { try body(i) } }.map { try $0.get() }
  }
}
