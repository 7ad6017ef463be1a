import Determinism
import Foundation
import Glibc
import PipelineModel

/// The right to work on one key. The kernel releases it when its holder dies, whatever way.
package final class KeyLock: Sendable {
  private let descriptor: Int32
  /// The file that goes with the lock.
  private let path: String?

  private init(descriptor: Int32, path: String?) {
    self.descriptor = descriptor
    self.path = path
  }

  /// Takes the lock if nobody holds it.
  /// - Returns: nil where another runner works on the key.
  package static func acquire(_ path: String) throws -> KeyLock? {
    while true {
      if case .fail(let code) = FailPoint.pass(.lock) { throw Files.failure("lock", path, code) }
      let fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
      guard fd >= 0 else { throw Files.failure("lock", path) }
      guard flock(fd, LOCK_EX | LOCK_NB) == 0 else {
        let code = errno
        close(fd)
        if code == EWOULDBLOCK { return nil }
        if code == EINTR { continue }
        throw Files.failure("lock", path, code)
      }
      // The last holder removes the file: a lock on a removed file protects nothing, so start over.
      var mine = stat()
      var there = stat()
      if fstat(fd, &mine) == 0, stat(path, &there) == 0, mine.st_ino == there.st_ino {
        return KeyLock(descriptor: fd, path: path)
      }
      close(fd)
    }
  }

  /// Takes a folder itself as the lock, after whoever holds it: nothing is made or removed, so nothing is to be synced. On
  /// file systems that can't lock folders a file does it.
  package static func wait(onFolder folder: String, orFile path: String) throws -> KeyLock {
    let fd = FileIO.retrying { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) }
    guard fd >= 0 else { return try wait(path) }
    guard FileIO.retrying({ flock(fd, LOCK_EX) }) == 0 else {
      close(fd)
      return try wait(path)
    }
    return KeyLock(descriptor: fd, path: nil)
  }

  /// Takes the lock, after whoever holds it.
  package static func wait(_ path: String) throws -> KeyLock {
    var pause = 0.0002
    while true {
      if let lock = try acquire(path) { return lock }
      Thread.sleep(forTimeInterval: pause)
      pause = min(0.05, pause * 2)
    }
  }

  deinit {
    if let path { unlink(path) }
    close(descriptor)
  }
}
