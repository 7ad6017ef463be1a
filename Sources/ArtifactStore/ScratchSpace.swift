import Glibc
import PipelineModel
import Synchronization

/// The folder of one process under `tmp/`, where everything is written before it is renamed into the store.
///
/// A lock beside it tells the living from the dead: the kernel releases it when its holder dies. Machines that share a
/// store may not hear of each other's locks, so the folder's name says which process on which machine it belongs to, and
/// there only those of its own machine remove it. What machines leave that never come back is for `gc`, much later.
package final class ScratchSpace: Sendable {
  private struct Session: Sendable {
    let folder: String
    let lock: KeyLock
    var made = 0
    /// Folders that were given back, empty.
    var free = [String]()
  }

  private let store: String
  private let identity: ProcessIdentity
  private let sharing: Sharing
  private var isShared: Bool { sharing.isOn }
  private let session = Mutex<Session?>(nil)

  init(store: String, identity: ProcessIdentity, sharing: Sharing) {
    (self.store, self.identity, self.sharing) = (store, identity, sharing)
  }

  deinit { end() }

  private func lockPath(_ name: String) -> String { "\(store)/locks/tmp-\(name)" }

  /// A new empty folder; the caller removes it.
  package func makeFolder() throws -> String {
    try session.withLock { session in
      if session == nil {
        // The lock comes first: a folder that nobody holds is a dead one's.
        let name = "\(identity.text).\(UInt64.random(in: 0 ... .max).hexadecimal.prefix(8))"
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

  /// Shows others that this process lives: the time of its folder is that of the file system's own clock.
  func touch() {
    session.withLock { session in
      if let folder = session?.folder { utimensat(AT_FDCWD, folder, nil, 0) }
    }
  }

  /// Whose folder it is, as far as it can be told; nil of a name that tells nothing.
  package static func owner(of name: String) -> ProcessIdentity? {
    name.lastIndex(of: ".").flatMap { ProcessIdentity(text: String(name[..<$0])) }
  }

  package enum Remains {
    /// Of a process that has ended for sure, of a living one, of one that can't be seen from here.
    case certain, none, unknown
  }

  /// What the folder of this name under `tmp/` is.
  package func remains(of name: String) throws -> Remains {
    if isShared {
      switch ScratchSpace.owner(of: name)?.fate(seenBy: identity) {
      case nil, .unknown: return .unknown
      case .alive: return .none
      case .dead: break
      }
    }
    return try !Files.exists(lockPath(name)) || KeyLock.acquire(lockPath(name)) != nil ? .certain : .none
  }

  /// Removes the folders of dead processes of this machine.
  package func sweep() throws {
    for name in try Files.list("\(store)/tmp") {
      guard try !isShared || remains(of: name) == .certain, let lock = try KeyLock.acquire(lockPath(name)) else {
        continue
      }
      withExtendedLifetime(lock) { _ = try? Files.remove("\(store)/tmp/\(name)") }
    }
    // Whoever can take a lock finds it a dead one's, and takes its file away on giving it back.
    for file in try Files.list("\(store)/locks") where file.hasPrefix("tmp-") {
      let name = String(file.dropFirst(4))
      if try !isShared || remains(of: name) == .certain { _ = try KeyLock.acquire("\(store)/locks/\(file)") }
    }
  }
}
