import Glibc
import PipelineModel
import Synchronization

/// The folder of one process under `tmp/`, where everything is written before it is renamed into the store.
///
/// A lock beside it tells the living from the dead, whatever their process numbers are and on whichever machine they
/// run: the kernel releases it when its holder dies.
package final class ScratchSpace: Sendable {
  private struct Session: Sendable {
    let folder: String
    let lock: KeyLock
    var made = 0
    /// Folders that were given back, empty.
    var free = [String]()
  }

  private let store: String
  private let session = Mutex<Session?>(nil)

  init(store: String) { self.store = store }

  deinit { end() }

  private func lockPath(_ name: String) -> String { "\(store)/locks/tmp-\(name)" }

  /// A new empty folder; the caller removes it.
  package func makeFolder() throws -> String {
    try session.withLock { session in
      if session == nil {
        // The lock comes first: a folder that nobody holds is a dead one's.
        let name = UInt64.random(in: 0 ... .max).hexadecimal
        guard let lock = try KeyLock.acquire(lockPath(name)) else {
          throw PipelineError(.io, "\(lockPath(name)): another process has drawn the same name")
        }
        session = Session(folder: "\(store)/tmp/\(name)", lock: lock)
        try Files.makeFolder(session!.folder)
        // For its owner alone: nobody else sees or starts what a stranger's program leaves there.
        guard chmod(session!.folder, 0o700) == 0 else { throw Files.failure("protect", session!.folder) }
      }
      if let folder = session!.free.popLast() { return folder }
      session!.made += 1
      let folder = "\(session!.folder)/\(session!.made)"
      try Files.makeFolder(folder)
      return folder
    }
  }

  /// Takes a folder back that only this process has written to, to give it out again: file systems without a journal
  /// keep away from removed inodes for a while, and look at each of them whenever something is made.
  func recycle(_ folder: String) {
    guard let names = try? Files.list(folder),
      names.allSatisfy({ (try? Files.remove("\(folder)/\($0)")) != nil })
    else {
      try? Files.remove(folder)
      return
    }
    session.withLock { session in
      if let home = session?.folder, RelativePath.contains(home, folder) { session!.free.append(folder) }
    }
  }

  /// Removes the folder and releases its lock.
  package func end() {
    session.withLock { session in
      if let folder = session?.folder { try? Files.remove(folder) }
      session = nil
    }
  }

  /// Whether the folder of this name under `tmp/` is a dead process's.
  package func isAbandoned(_ name: String) throws -> Bool {
    try !Files.exists(lockPath(name)) || KeyLock.acquire(lockPath(name)) != nil
  }

  /// Removes the folders of dead processes.
  package func sweep() throws {
    for name in try Files.list("\(store)/tmp") {
      guard let lock = try KeyLock.acquire(lockPath(name)) else { continue }
      withExtendedLifetime(lock) { _ = try? Files.remove("\(store)/tmp/\(name)") }
    }
  }
}
