import Determinism
import Foundation
import Glibc
import PipelineModel

/// The right to do something alone, such as to work on one key. The kernel releases it when its holder dies, whatever
/// way.
package final class KeyLock: Sendable {
  private let descriptor: Int32
  /// The file that goes with the lock.
  private let path: String?

  private init(descriptor: Int32, path: String?) {
    self.descriptor = descriptor
    self.path = path
  }

  /// Takes the lock of a key if nobody holds it.
  ///
  /// Locks of keys are single bytes of one file, at places that the keys say: a file for each would have to be made and
  /// removed for each stage, which costs some file systems more than a small stage does. Two keys that share a place,
  /// one pair in 2^62, wait for each other.
  /// - Parameter path: the file, which stays.
  /// - Returns: nil where another runner works on the key.
  static func acquire(_ key: Digest, in path: String) throws -> KeyLock? {
    if case .fail(let code) = FailPoint.pass(.lock) { throw Files.failure("lock", path, code) }
    let fd = FileIO.retrying { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666) }
    guard fd >= 0 else { throw Files.failure("lock", path) }
    var range = flock()
    range.l_type = Int16(F_WRLCK)
    range.l_whence = Int16(SEEK_SET)
    range.l_start = off_t(key.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) } >> 2)
    range.l_len = 1
    // Of this open file, not of the process: threads exclude each other too.
    let setLock: Int32 = 37  // F_OFD_SETLK
    guard FileIO.retrying({ fcntl(fd, setLock, &range) }) == 0 else {
      let code = errno
      close(fd)
      if code == EAGAIN || code == EACCES { return nil }
      throw Files.failure("lock", path, code)
    }
    return KeyLock(descriptor: fd, path: nil)
  }

  /// Takes the lock that a file is, if nobody holds it; the file goes with the lock.
  /// - Returns: nil where somebody else has it.
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

  /// Takes a folder itself as the lock, after whoever holds it: nothing is made or removed, so nothing is to be synced.
  /// On file systems that can't lock folders a file does it.
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
