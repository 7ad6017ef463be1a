import Determinism
import Foundation
import PipelineModel

extension Store {
  /// Adds what an execution made: its objects, and the record that names them. Returns when all is on the disk.
  ///
  /// Objects become visible whole, and the record after them. An equal sound object that is there already stays.
  /// - Parameter scratch: a folder for the files on their way.
  package func commit(_ objects: [Written], record: Record?, scratch: String) throws {
    try commit(objects, records: record.map { [($0, $0.fileBytes)] } ?? [], scratch: scratch)
  }

  /// - Parameter records: each with its file as it was first written.
  package func commit(_ objects: [Written], records: [(record: Record, bytes: [UInt8])], scratch: String) throws {
    var entry = Commits.Entry()
    entry.objects = try objects.map(prepare)
    for (i, item) in records.enumerated() {
      let file = "\(scratch)/record.\(i)"
      try Files.write(item.bytes, to: file)
      entry.records.append(Commits.Move(from: file, to: recordPath(item.record.key), artifact: nil, sync: [file]))
      entry.indexed.append(indexEntry(of: item.record))
    }
    try commits.add(entry, to: self)
    for object in objects where object.size > Store.trustedSize {
      if let fingerprint = try fingerprint(of: object.artifact) {
        verified.remember(objectPath(object.artifact), fingerprint, isOwn: true)
      }
    }
  }

  /// Objects above this size are not read again by the process that just wrote them; below, another look is cheap.
  private static let trustedSize = 16 << 20

  /// Stores a small value as a `json` artifact.
  package func publish(_ value: CanonicalValue) throws -> Artifact {
    let scratch = try makeScratch()
    defer { try? Files.remove(scratch) }
    let written = try write(value, to: scratch + "/object")
    try commit([written], record: nil, scratch: scratch)
    return written.artifact
  }

  /// Brings an object's files into the form they will have.
  /// - Returns: nil where the store has it already.
  private func prepare(_ object: Written) throws -> Commits.Move {
    let target = objectPath(object.artifact)
    let isTree = object.artifact.kind == TreeFormat.name && !object.artifact.isExternal
    var move = Commits.Move(from: object.path, to: target, artifact: object.artifact)
    if hasObject(object.artifact), try damage(of: object.artifact) == nil {
      // Whoever put it there may have died before it was on the disk.
      move.isThere = true
      move.sync =
        [target + ".sha256"] + (isTree ? try treePaths(target).map { target + "/" + $0 } + [target] : [target])
      return move
    }
    try Files.write(Array("\(object.checksum.hex)\n".utf8), to: object.path + ".sha256")
    try Files.makeReadOnly(object.path + ".sha256")
    move.sync = [object.path + ".sha256"]
    if isTree {
      try protectTree(object.path)
    } else {
      // A large file takes its time on its own, so that small ones need not wait for it.
      try object.sync?.wait()
      try Files.makeReadOnly(object.path)
      move.sync.append(object.path)
    }
    return move
  }

  /// Everything in a tree, relative to it: files, then folders, then the manifest.
  private func treePaths(_ tree: String) throws -> [String] {
    let manifest = try TreeFormat.manifest(of: tree)
    return manifest.entries.map { "\(TreeFormat.filesName)/\($0.path)" }
      + manifest.folders.map { "\(TreeFormat.filesName)/\($0)" } + [TreeFormat.filesName, TreeFormat.manifestName]
  }

  /// Makes the files of a tree read-only and brings them and their folders to the disk.
  private func protectTree(_ tree: String) throws {
    for entry in try TreeFormat.manifest(of: tree).entries {
      try Files.makeReadOnly("\(tree)/\(TreeFormat.filesName)/\(entry.path)", executable: entry.isExecutable)
    }
    try Files.makeReadOnly(tree + "/" + TreeFormat.manifestName)
    let failures = Files.sync(all: try treePaths(tree).map { tree + "/" + $0 } + [tree])
    if let first = failures.min(by: { $0.key < $1.key }) { throw first.value }
  }
}

extension Store {
  /// Puts an object where nothing is, or something damaged. One that is there and sound is never touched: a stage may
  /// be reading it.
  fileprivate func place(_ move: Commits.Move, _ artifact: Artifact) throws {
    let lock = try KeyLock.wait(
      onFolder: Checkout.folder(ofFile: move.to), orFile: "\(path)/locks/object-\(artifact.digest.hex)")
    defer { withExtendedLifetime(lock) {} }
    let isFree = try Files.linkStatus(move.to) == nil
    // Another machine puts the checksum there first, but this one may have looked for it too early.
    if !isFree, sharing.isOn { try? NameWait.wait(for: [move.to + ".sha256"], seconds: NameWait.limit) }
    if !isFree, hasObject(artifact), try damage(of: artifact) == nil { return }
    verified.forget(move.to)
    // The checksum goes first: an object without one is never seen.
    if isFree {
      try Files.rename(move.from + ".sha256", to: move.to + ".sha256")
      if try Files.renameIfFree(move.from, to: move.to) { return }
      // Another machine was first, whose locks this one does not see.
      try NameWait.wait(for: [move.to, move.to + ".sha256"], seconds: NameWait.limit)
      if try damage(of: artifact) == nil { return }
      // Of another version of the program, whose files have other bytes: the checksum is this one's by now.
      try Files.exchange(move.from, move.to)
      try setAside([move.from], named: move.to)
    } else {
      try Files.exchange(move.from, move.to)
      try Files.rename(move.from + ".sha256", to: move.to + ".sha256")
      try setAside([move.from], named: move.to)
    }
  }

  /// Adds a record. One that is there stays: nothing replaces what was recorded.
  fileprivate func place(_ move: Commits.Move) throws {
    guard try !Files.renameIfFree(move.from, to: move.to) else { return }
    try NameWait.wait(for: [move.to], seconds: NameWait.limit)
    let (mine, theirs) = (
      try Record(fileBytes: Files.read(move.from), at: move.from),
      try Record(fileBytes: Files.read(move.to), at: move.to)
    )
    guard mine.outputs == theirs.outputs else {
      throw PipelineError(
        .notReproduced,
        "'\(mine.stage)' does not reproduce: another run has recorded other outputs for \(mine.key.short)")
    }
  }

  /// Moves what is damaged into `damaged/`.
  /// - Parameter name: of what it was; by default each keeps its own.
  package func setAside(_ paths: [String], named name: String? = nil) throws {
    let folder = path + "/damaged/" + Timestamp.compact()
    for path in paths where try Files.linkStatus(path) != nil {
      try Files.makeFolder(folder)
      // The last two parts of an object's path are its digest.
      let target = folder + "/" + (name ?? path).splitBytes(at: UInt8(ascii: "/")).suffix(2).joined(separator: "-")
      try Files.remove(target)
      try Files.rename(path, to: target)
    }
  }
}

/// Brings the results of executions to the disk, those of several at once.
///
/// A disk takes about as long for one `fsync` as for many that wait together. Whoever comes while nobody syncs does it
/// for all that have come so far; the others wait, and their successors gather meanwhile.
final class Commits: @unchecked Sendable {
  // Invariant: `waiting`, `isBusy` and the `result` of tickets are touched only under `condition`.

  struct Move {
    package var from: String
    package var to: String
    /// Nil of a record.
    package var artifact: Artifact?
    /// Files to bring to the disk before the move.
    package var sync: [String] = []
    /// Whether a sound object is in its place already, so that nothing is left to move.
    var isThere = false
  }

  package struct Entry {
    /// Each goes with its `….sha256`.
    package var objects: [Move] = []
    package var records: [Move] = []
    var indexed: [StoreIndex.Entry] = []
  }

  private final class Ticket {
    let entry: Entry
    var result: Result<Void, any Error>?
    init(_ entry: Entry) { self.entry = entry }
  }

  private let condition = NSCondition()
  private var waiting: [Ticket] = []
  private var isBusy = false

  /// Returns when the entry is on the disk.
  package func add(_ entry: Entry, to store: Store) throws {
    let ticket = Ticket(entry)
    condition.lock()
    waiting.append(ticket)
    while ticket.result == nil {
      guard !isBusy else {
        condition.wait()
        continue
      }
      isBusy = true
      let batch = waiting
      waiting = []
      condition.unlock()
      let results = Commits.perform(batch.map(\.entry), in: store)
      condition.lock()
      for (ticket, result) in zip(batch, results) { ticket.result = result }
      isBusy = false
      condition.broadcast()
    }
    condition.unlock()
    try ticket.result!.get()
  }

  /// The order is what makes crashes harmless: contents, then objects, then records.
  private static func perform(_ entries: [Entry], in store: Store) -> [Result<Void, any Error>] {
    var failures = [Int: any Error]()
    func sync(_ owned: [(owners: [Int], path: String)]) {
      for (place, error) in Files.sync(all: owned.map(\.path)) {
        for owner in owned[place].owners { failures[owner] = error }
      }
    }
    func attempt(_ body: (Int, Entry) throws -> Void) {
      for (i, entry) in entries.enumerated() where failures[i] == nil {
        do { try body(i, entry) } catch { failures[i] = error }
      }
    }
    sync(
      entries.enumerated().flatMap { i, entry in
        (entry.objects + entry.records).flatMap(\.sync).map { ([i], $0) }
      })
    // Folders that changed. A folder that can't be synced fails all entries that need it.
    var folders = [String: Set<Int>]()
    attempt { i, entry in
      for move in entry.objects {
        let folder = Checkout.folder(ofFile: move.to)
        if try Files.makeFolder(folder) || move.isThere { folders[store.path + "/objects", default: []].insert(i) }
        if !move.isThere { try store.place(move, move.artifact!) }
        folders[folder, default: []].insert(i)
      }
    }
    sync(folders.sorted { $0.key < $1.key }.map { (Array($0.value), $0.key) })
    attempt { _, entry in
      for record in entry.records { try store.place(record) }
    }
    let recorded = entries.indices.filter { failures[$0] == nil && !entries[$0].records.isEmpty }
    if !recorded.isEmpty { sync([(recorded, store.path + "/records")]) }
    let indexed = entries.indices.filter { failures[$0] == nil }.flatMap { entries[$0].indexed }
    if !indexed.isEmpty {
      do { try store.index.add(indexed) } catch { attempt { _, entry in if !entry.indexed.isEmpty { throw error } } }
    }
    return entries.indices.map { i in failures[i].map { .failure($0) } ?? .success(()) }
  }
}
