import Determinism
import Foundation
import PipelineModel

/// The folder that keeps artifacts and what made them.
///
/// ```
/// objects/ab/cdef….h5          an artifact, named by its digest; beside it ….h5.sha256, of the file's bytes
/// objects/ab/cdef….tree/       a tree: its manifest, and the files under files/
/// objects/ab/cdef….manifest    the manifest of a source's tree
/// records/<key>.json           what produced what
/// runs/<run>/                  journal and logs
/// checkpoints/<key>/           live partial state
/// locks/keys                   a byte of it is locked while a runner works on a key
/// leases/<key>                 the same among machines; the folder is there where machines share the store
/// waves/<wave>/                orders that an executor gave to a cluster; `ended` in it: nothing of it runs any more
/// sources/                     what is known of files on the user's disk
/// signatures/<key>/            signatures of a record
/// index                        summary of the records; may be deleted
/// damaged/                     what repairs set aside
/// lock                         shared by all who work here, held alone by who removes things
/// tmp/                         where everything is written first
/// ```
///
/// Everything is written under `tmp/`, synced, renamed, and its folder synced, so nothing half-written is ever seen
/// under its own name.
public final class Store: Sendable {
  public let path: String
  /// Whether this store is only read: nothing is created in it.
  package let isObserved: Bool
  public let registry: StageRegistry
  package let index: StoreIndex
  /// Whether this process executes what another one ordered: it waits for what the order names, and leaves index and
  /// journal to the one that ordered.
  package let isWorker: Bool
  let verified = VerifiedObjects()
  let commits = Commits()
  package let scratch: ScratchSpace
  let sharing: Sharing
  let leases: LeaseTable
  let objectsFolder: OpenFolder
  let recordsFolder: OpenFolder
  /// Names of records as they were listed a moment ago; nil unless machines share the store.
  let listedRecords: NameList

  /// Opens a store, making its folders where they are missing.
  public convenience init(path: String, registry: StageRegistry) throws {
    try self.init(path: path, registry: registry, identity: .current)
  }

  /// - Parameters:
  ///   - identity: of this process, for scratch folders and leases.
  ///   - times: of leases.
  convenience init(
    path: String, registry: StageRegistry, identity: ProcessIdentity, times: LeaseTable.Times = LeaseTable.Times(),
    clock: @escaping @Sendable () -> Double = { LeaseTable.uptime }
  ) throws {
    let root = Files.absolute(path)
    try Store.refuseStrangeParts(in: root)
    var isNew = false
    for folder in Store.folders where try Files.makeFolder("\(root)/\(folder)") { isNew = true }
    if isNew { try Files.sync(root) }
    try self.init(root: root, role: .owner, registry: registry, identity: identity, times: times, clock: clock)
    if !sharing.isOn, !FileSystem(of: root).isLocal { try share() }
  }

  /// Opens a store to read it. A missing one counts as empty and is not created; one that can't be written will do.
  public convenience init(observing path: String, registry: StageRegistry) throws {
    try self.init(root: Files.absolute(path), role: .observer, registry: registry)
  }

  /// Opens a store for a process that executes orders of another one, on any machine. Nothing is looked up that need
  /// not be there yet: a machine remembers for a while that a name was missing.
  /// - Throws: code `missingStore` where there is none, also after waiting for it.
  public convenience init(workerAt path: String, registry: StageRegistry) throws {
    let root = Files.absolute(path)
    do {
      try NameWait.wait(for: ["\(root)/format"], seconds: NameWait.limit)
    } catch {
      throw PipelineError(.missingStore, "\(root): no store is there, seen from \(ProcessIdentity.current.host)")
    }
    try self.init(root: root, role: .worker, registry: registry)
  }

  private enum Role { case owner, observer, worker }

  private static let folders = ["objects", "records", "runs", "checkpoints", "locks", "sources", "tmp"]

  private init(
    root: String, role: Role, registry: StageRegistry, identity: ProcessIdentity = .current,
    times: LeaseTable.Times = LeaseTable.Times(), clock: @escaping @Sendable () -> Double = { LeaseTable.uptime }
  ) throws {
    path = root
    isObserved = role == .observer
    isWorker = role == .worker
    self.registry = registry
    try Store.refuseStrangeParts(in: root)
    sharing = Sharing(Files.exists("\(root)/leases"))
    scratch = ScratchSpace(store: root, identity: identity, sharing: sharing)
    leases = LeaseTable(folder: "\(root)/leases", identity: identity, times: times, clock: clock) {
      [scratch] in scratch.touch()
    }
    objectsFolder = OpenFolder("\(root)/objects")
    recordsFolder = OpenFolder("\(root)/records")
    listedRecords = NameList("\(root)/records")
    index = try StoreIndex(path: "\(root)/index", mode: isWorker ? .none : isObserved ? .whereItCan : .always)
    try checkFormat()
  }

  /// A folder that leads elsewhere would let a store from somebody else have files written, or removed, there; and a
  /// rename from one file system to another is none. A pipe in place of the index would be waited for.
  private static func refuseStrangeParts(in root: String) throws {
    for folder in folders + ["leases", "waves"] {
      let place = "\(root)/\(folder)"
      switch try Files.type(place) {
      case .folder, nil: break
      case .link:
        throw PipelineError(
          .badArtifact, "\(place) is a link. The folders of a store lie in the store; link the store as a whole")
      case .file, .other:
        let advice = expendable.contains(folder) ? "Remove it: the next command makes the folder anew" : "Move it away"
        throw PipelineError(.badArtifact, "\(place) is not a folder, as it is in a store. \(advice)")
      }
    }
    let index = "\(root)/index"
    if let type = try Files.type(index), type != .file {
      throw PipelineError(
        .badArtifact,
        "\(index) is not a file. Remove it: it only summarises the records, and the next command makes it anew")
    }
  }

  /// Folders without which nothing is lost.
  private static let expendable = ["locks", "sources", "tmp", "leases"]

  /// Whether there is a store at all.
  public var exists: Bool { Files.exists("\(path)/format") }

  /// What the file `format` holds.
  package static let formatMark = Array("2\n".utf8)

  /// Refuses a store whose layout this version does not know; marks a new one.
  private func checkFormat() throws {
    let mark = Store.formatMark
    let file = "\(path)/format"
    if !Files.exists(file) {
      if isObserved { return }
      let scratch = try makeScratch()
      defer { endScratch() }
      try Files.write(mark, to: scratch + "/format")
      try Files.sync(scratch + "/format")
      try Files.rename(scratch + "/format", to: file)
    }
    guard try Files.read(file) == mark else {
      throw PipelineError(.badArtifact, "\(path): a store of another version; choose another with --store")
    }
  }

  package func recordPath(_ key: Digest) -> String { "\(path)/records/\(key.hex).json" }
  package func checkpointPath(_ key: Digest) -> String { "\(path)/checkpoints/\(key.hex)" }
  /// What a command keeps to go on from.
  package func resumePath(_ key: Digest) -> String { checkpointPath(key) + Store.resumeEnding }
  package static let resumeEnding = ".files"
  /// The folder of a command that failed.
  package func failurePath(_ key: Digest) -> String { "\(path)/failed/\(key.hex)" }

  /// The lock of a key: nil where another runner works on it.
  package func acquireLock(_ key: Digest) throws -> KeyLock? {
    let file = "\(path)/locks/\(Store.keyLocks)"
    guard sharing.isOn else { return try KeyLock.acquire(key, in: file) }
    let lock = try KeyLock.acquire(key, in: file, leases: leases)
    // Whoever had it before may have left a record a moment ago, which the last list of names does not show. Only here
    // is a name looked up that may be missing: this process is about to make it.
    if lock != nil, Files.exists(recordPath(key)) { listedRecords.add("\(key.hex).json") }
    return lock
  }

  /// The file whose bytes are the locks of keys.
  private static let keyLocks = "keys"

  /// A new empty folder under `tmp/`, or the system's folder for such where the store is only looked at; the caller
  /// removes it.
  package func makeScratch() throws -> String {
    guard isObserved else { return try scratch.makeFolder() }
    let name = "\(Files.absolute(NSTemporaryDirectory()))/autopanoptic-\(UInt64.random(in: 0 ... .max).hexadecimal)"
    try Files.makeFolder(name)
    return name
  }

  /// Takes back a folder of `makeScratch` that nobody but this process has written to.
  package func recycleScratch(_ folder: String) {
    if isObserved { try? Files.remove(folder) } else { scratch.recycle(folder) }
  }

  /// Removes what this process holds under `tmp/`. The next scratch folder creates it again.
  package func endScratch() { scratch.end() }

  /// Removes what dead runners left: scratch folders, checkpoints of stages that are done, and files of locks.
  ///
  /// What can't be removed stays: it does no harm, and `gc` names it.
  package func sweep() throws {
    try scratch.sweep()
    if sharing.isOn { try leases.sweep() }
    for name in try Files.list("\(path)/checkpoints") {
      let isOfCommand = name.hasSuffix(Store.resumeEnding)
      let hex = isOfCommand ? String(name.dropLast(Store.resumeEnding.count)) : name
      guard let key = Digest(hex: hex), hasRecord(key) else { continue }
      guard let lock = try acquireLock(key) else { continue }
      withExtendedLifetime(lock) { _ = try? removeTree(isOfCommand ? resumePath(key) : checkpointPath(key)) }
    }
    // Whoever can take a lock finds it a dead one's, and takes its file away on giving it back.
    for name in try Files.list("\(path)/locks") where name != Store.keyLocks && !name.hasPrefix("tmp-") {
      _ = try KeyLock.acquire("\(path)/locks/\(name)")
    }
  }
}
