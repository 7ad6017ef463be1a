import Determinism
import Foundation

/// Syncs a large file in the background while its digests are computed.
package final class BackgroundSync: @unchecked Sendable {
  // Invariant: `result` is touched only under `condition`.
  private let condition = NSCondition()
  private var result: Result<Void, any Error>?

  package init(_ path: String) {
    let sync: @Sendable () -> Void = {
      let result = Result { try Files.sync(path) }
      self.condition.withLock {
        self.result = result
        self.condition.broadcast()
      }
    }
    // Without a thread the caller syncs.
    do { try startThread(named: "sync", sync) } catch { sync() }
  }

  /// Returns when the file is on the disk.
  package func wait() throws {
    try condition.withLock {
      while result == nil { condition.wait() }
      return result!
    }.get()
  }
}
