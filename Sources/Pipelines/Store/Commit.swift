import Determinism
import Foundation

extension Store {
  /// Adds what an execution made: its objects, and the record that names them. Returns when all is on the disk.
  ///
  /// Objects become visible whole, and the record after them. An equal sound object that is there already stays.
  /// - Parameter scratch: a folder for the files on their way.
  func commit(_ objects: [Written], record: Record?, scratch: String) throws {
    try commit(objects, records: record.map { [($0, $0.fileBytes)] } ?? [], scratch: scratch)
  }

  /// - Parameter records: each with its file as it was first written.
  func commit(_ objects: [Written], records: [(record: Record, bytes: [UInt8])], scratch: String) throws {
    var entry = Commits.Entry()
    for object in objects {
      if let move = try prepare(object) { entry.objects.append(move) }
    }
    for (i, item) in records.enumerated() {
      let file = "\(scratch)/record.\(i)"
      try Files.write(item.bytes, to: file)
      entry.records.append(Commits.Move(from: file, to: recordPath(item.record.key), sync: [file]))
      entry.indexed.append(indexEntry(of: item.record))
    }
    try commits.add(entry, to: self)
    for object in objects { verified.insert(objectPath(object.artifact)) }
  }

  /// Stores a small value as a `json` artifact.
  func publish(_ value: CanonicalValue) throws -> Artifact {
    let scratch = try makeScratch()
    defer { try? Files.remove(scratch) }
    let written = try write(value, to: scratch + "/object")
    try commit([written], record: nil, scratch: scratch)
    return written.artifact
  }

  /// Brings an object's files into the form they will have.
  /// - Returns: nil where the store has it already.
  private func prepare(_ object: Written) throws -> Commits.Move? {
    let target = objectPath(object.artifact)
    if hasObject(object.artifact), try damage(of: object.artifact) == nil {
      try Files.remove(object.path)
      return nil
    }
    try Files.write(Array("\(object.checksum.hex)\n".utf8), to: object.path + ".sha256")
    try Files.makeReadOnly(object.path + ".sha256")
    let isTree = object.artifact.kind == TreeFormat.name && !object.artifact.isExternal
    guard isTree else {
      // A large file takes its time on its own, so that small ones need not wait for it.
      try object.sync?.wait()
      try Files.makeReadOnly(object.path)
      return Commits.Move(from: object.path, to: target, sync: [object.path, object.path + ".sha256"])
    }
    try protectTree(object.path)
    return Commits.Move(from: object.path, to: target, sync: [object.path + ".sha256"], isFolder: true)
  }

  /// Makes the files of a tree read-only and brings them and their folders to the disk.
  private func protectTree(_ tree: String) throws {
    let files = tree + "/" + TreeFormat.filesName
    let entries = try TreeFormat.manifest(of: tree).entries
    var folders: Set<String> = [files]
    for entry in entries {
      try Files.makeReadOnly(files + "/" + entry.path, executable: entry.isExecutable)
      var parent = entry.path[...]
      while let slash = parent.lastIndex(of: "/") {
        parent = parent[..<slash]
        folders.insert(files + "/" + parent)
      }
    }
    let manifest = tree + "/" + TreeFormat.manifestName
    try Files.makeReadOnly(manifest)
    let failures = Files.sync(all: entries.map { files + "/" + $0.path } + folders.sorted() + [manifest, tree])
    if let first = failures.min(by: { $0.key < $1.key }) { throw first.value }
  }
}

/// Brings the results of executions to the disk, those of several at once.
///
/// A disk takes about as long for one `fsync` as for many that wait together. Whoever comes while nobody syncs does it
/// for all that have come so far; the others wait, and their successors gather meanwhile.
final class Commits: @unchecked Sendable {
  // Invariant: `waiting`, `isBusy` and the `result` of tickets are touched only under `condition`.

  struct Move {
    var from: String
    var to: String
    /// Files to bring to the disk before the move.
    var sync: [String]
    var isFolder = false
  }

  struct Entry {
    /// Each goes with its `….sha256`.
    var objects: [Move] = []
    var records: [Move] = []
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
  func add(_ entry: Entry, to store: Store) throws {
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
        let folder = String(move.to[..<move.to.lastIndex(of: "/")!])
        if try Files.makeFolder(folder) { folders[store.path + "/objects", default: []].insert(i) }
        // The checksum goes first: an object without one is never seen.
        try Files.rename(move.from + ".sha256", to: move.to + ".sha256")
        try move.isFolder ? store.replaceTree(move.to, with: move.from) : Files.rename(move.from, to: move.to)
        folders[folder, default: []].insert(i)
      }
    }
    sync(folders.sorted { $0.key < $1.key }.map { (Array($0.value), $0.key) })
    attempt { _, entry in
      for record in entry.records { try Files.rename(record.from, to: record.to) }
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
