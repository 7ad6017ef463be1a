import Determinism
import Foundation
import Glibc
import PipelineModel

/// The right to do something alone, such as to work on one key. The kernel releases it when its holder dies, whatever
/// way.
package final class KeyLock: Sendable {
  /// Negative where a lease is all there is.
  private let descriptor: Int32
  /// The file that goes with the lock.
  private let path: String?
  /// Beside the lock of a key, where machines share the store.
  let lease: Lease?

  private init(descriptor: Int32, path: String?, lease: Lease? = nil) {
    self.descriptor = descriptor
    self.path = path
    self.lease = lease
  }

  /// Takes the lock of a key among machines that may not hear of each other's locks.
  ///
  /// The lease decides; the lock keeps away those of this machine at once, also ones that know of no leases.
  /// - Parameter path: the file of the locks.
  /// - Returns: nil where somebody else works on the key.
  static func acquire(_ key: Digest, in path: String, leases: LeaseTable) throws -> KeyLock? {
    var isUnsupported = false
    let descriptor = try lockedByte(of: key, in: path, isUnsupported: &isUnsupported)
    do {
      if let lease = try leases.acquire(key, isLocked: descriptor != nil || isUnsupported) {
        return KeyLock(descriptor: descriptor ?? -1, path: nil, lease: lease)
      }
    } catch {
      if let descriptor { close(descriptor) }
      throw error
    }
    if let descriptor { close(descriptor) }
    return nil
  }

  /// Of the lease; nil where there is none.
  package var nonce: String? { lease?.nonce }

  /// Whether somebody else has the lease by now, having found no sign of life: what is computed here is not needed.
  package var isLost: Bool { lease.map { !$0.isHeld } ?? false }

  /// - Parameter stage: the name of the instance, for the message.
  /// - Throws: code `leaseLost` where the lease is somebody else's.
  package func confirm(for stage: String) throws {
    guard isLost, let lease else { return }
    throw PipelineError(
      .leaseLost,
      "'\(stage)': this process gave no sign of life for too long, and its lease was taken over; \(lease.successor) "
        + "has it. It stopped, and stored nothing. The stage is not at fault")
  }

  /// Takes the lock of a key if nobody holds it.
  ///
  /// Locks of keys are single bytes of one file, at places that the keys say: a file for each would have to be made and
  /// removed for each stage, which costs some file systems more than a small stage does. Two keys that share a place,
  /// one pair in 2^62, wait for each other.
  /// - Parameter path: the file, which stays.
  /// - Returns: nil where another runner works on the key.
  static func acquire(_ key: Digest, in path: String) throws -> KeyLock? {
    var isUnsupported = false
    if let descriptor = try lockedByte(of: key, in: path, isUnsupported: &isUnsupported) {
      return KeyLock(descriptor: descriptor, path: nil)
    }
    if isUnsupported { throw Files.failure("lock", path, ENOLCK) }
    return nil
  }

  /// - Parameter isUnsupported: set where the file system has no such locks.
  /// - Returns: the descriptor that has the lock; nil where another one has it.
  private static func lockedByte(of key: Digest, in path: String, isUnsupported: inout Bool) throws -> Int32? {
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
      isUnsupported = isMissing(code)
      if isUnsupported { return nil }
      throw Files.failure("lock", path, code)
    }
    return fd
  }

  /// Whether an error says that a file system has no locks.
  static func isMissing(_ code: Int32) -> Bool { [ENOSYS, EOPNOTSUPP, ENOLCK].contains(code) }

  /// Takes the lock that a file is, if nobody holds it; the file goes with the lock.
  /// - Returns: nil where somebody else has it.
  package static func acquire(_ path: String) throws -> KeyLock? {
    while true {
      if case .fail(let code) = FailPoint.pass(.lock) { throw Files.failure("lock", path, code) }
      let fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
      guard fd >= 0 else { throw Files.failure("lock", path) }
      guard flock(fd, LOCK_EX | LOCK_NB) == 0 else {
        let code = errno
        // Where there are no locks, the file alone says that somebody is here; others judge by its name.
        if isMissing(code) { return KeyLock(descriptor: fd, path: path) }
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
    // The lease goes first: who gets the lock finds none.
    lease?.release()
    if let path { unlink(path) }
    if descriptor >= 0 { close(descriptor) }
  }
}
