import CProcesses
import Determinism
import Glibc
import Synchronization

/// An open file, closed with its last owner, or before.
package final class Descriptor: Sendable {
  package let number: Int32
  private let isOpen = Atomic<Bool>(true)

  package init(_ number: Int32) { self.number = number }

  deinit { shut() }

  /// Closes it; who uses its number after that uses somebody else's file.
  package func shut() {
    if isOpen.exchange(false, ordering: .acquiringAndReleasing) { close(number) }
  }

  /// Names the limit of open files where that is the reason.
  package static func failure(_ action: String, _ path: String) -> any Error {
    errno == EMFILE ? FileFailure(action, path) : Files.failure(action, path)
  }

  /// A file in memory with some bytes, at its beginning.
  package static func memory(_ name: String, _ bytes: [UInt8]) throws -> Descriptor {
    let number = bytes.withUnsafeBytes { cp_memory_file(name, $0.baseAddress, $0.count) }
    guard number >= 0 else { throw failure("make", "a file in memory (\(name))") }
    return Descriptor(number)
  }

  /// Opens a file; a link as its last part is followed only where `flags` don't say `O_NOFOLLOW`.
  package static func open(_ path: String, _ flags: Int32, _ action: String) throws -> Descriptor {
    let number = Glibc.open(path, flags | O_CLOEXEC, 0o644)
    guard number >= 0 else { throw failure(action, path) }
    return Descriptor(number)
  }
}
