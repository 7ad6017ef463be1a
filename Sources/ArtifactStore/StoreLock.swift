import Determinism
import Foundation
import Glibc
import PipelineModel

/// Whether a store may lose things: everybody who works with it shares the lock, and who removes things holds it alone.
/// The kernel releases it when its holder dies.
package final class StoreLock {
  private let descriptor: Int32

  private init(descriptor: Int32) { self.descriptor = descriptor }

  /// Waits while things are being removed, which does not take long.
  /// - Returns: nil for a store that can't be written: nothing is removed from that.
  package static func shared(_ store: Store) throws -> StoreLock? {
    do {
      return try take(store, LOCK_SH, O_RDWR | O_CREAT)
    } catch {
      // Who only reads a store that others may write shares the lock all the same.
      if let lock = try? take(store, LOCK_SH, O_RDONLY) { return lock }
      if !Files.exists(store.path) || access(store.path, W_OK) != 0 { return nil }
      throw error
    }
  }

  /// - Returns: nil where somebody works with the store.
  package static func exclusive(_ store: Store) throws -> StoreLock? {
    try take(store, LOCK_EX | LOCK_NB, O_RDWR | O_CREAT)
  }

  private static func take(_ store: Store, _ mode: Int32, _ access: Int32) throws -> StoreLock? {
    let path = store.path + "/lock"
    let fd = FileIO.retrying { open(path, access | O_CLOEXEC | O_NOFOLLOW, 0o644) }
    guard fd >= 0 else { throw Files.failure("lock", path) }
    while flock(fd, mode) != 0 {
      let code = errno
      if code == EINTR { continue }
      // A file system without locks: leases and waves tell who works here.
      if KeyLock.isMissing(code) { break }
      close(fd)
      if code == EWOULDBLOCK { return nil }
      throw Files.failure("lock", path, code)
    }
    return StoreLock(descriptor: fd)
  }

  deinit { close(descriptor) }
}
