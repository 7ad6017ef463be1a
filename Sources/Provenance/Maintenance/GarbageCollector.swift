import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// Finds and removes the files that no kept record needs.
public struct GarbageCollector {
  let store: Store

  public init(store: Store) { self.store = store }

  /// - Parameters:
  ///   - plans: keep what these rest on.
  ///   - runs: keep what so many of the newest runs used.
  /// - Returns: with neither, only what no record names; every record stays then.
  /// - Throws: for a record that can't be read: what it names could not be told from what nobody needs.
  public func find(keeping plans: [Plan] = [], runs: Int? = nil) throws -> Garbage {
    let isSelective = !plans.isEmpty || runs != nil
    let records = try readRecords()
    let history = RunHistory(store: store)
    let allRuns = try history.ids()
    // A tag says that somebody wants to come back to a run.
    let keptRuns = try Set(
      isSelective ? allRuns.suffix(runs ?? 0) + allRuns.filter { try !history.tags(of: $0).isEmpty } : allRuns)
    var kept = Set(records.keys)
    if isSelective {
      kept = Set(plans.flatMap(\.stages).flatMap(\.instances).map(\.key))
      for id in keptRuns { kept.formUnion(try history.read(id).steps.map(\.key)) }
      kept = Ancestry(records).closure(of: kept)
    }

    var list = List(store: store)
    // Whoever read something goes before who made it.
    for key in Ancestry(records).makersFirst.reversed() where !kept.contains(key) {
      try list.add("records/\(key.hex).json", "records not needed")
    }
    for name in try Files.list(store.path + "/signatures") where !(Digest(hex: name).map(kept.contains) ?? false) {
      try list.add("signatures/\(name)", "signatures of records not needed")
    }
    try list.addObjects(except: neededObjects(kept.compactMap { records[$0] }))
    for name in try Files.list(store.path + "/checkpoints") {
      let key = Digest(hex: name.hasSuffix(Store.resumeEnding) ? String(name.dropLast(Store.resumeEnding.count)) : name)
      let isNeeded = key.map { records[$0] == nil && (!isSelective || kept.contains($0)) } ?? false
      if !isNeeded { try list.add("checkpoints/\(name)", "checkpoints not needed") }
    }
    for name in try Files.list(store.path + "/failed") { try list.add("failed/\(name)", "folders of failed commands") }
    try list.addEnvironments(named: kept.compactMap { records[$0]?.identity.traits[EnvironmentStore.trait] })
    for id in allRuns where !keptRuns.contains(id) { try list.add("runs/\(id)", "journals of other runs") }
    for name in try Files.list(store.path + "/damaged") { try list.add("damaged/\(name)", "set aside by repairs") }
    for item in try store.leftovers() { try list.add(item.path, item.reason) }
    let removed = Set(records.keys).subtracting(kept)
    return Garbage(
      items: list.items, keptRecords: records.count - removed.count, keptBytes: list.keptBytes, removedKeys: removed)
  }

  private func readRecords() throws -> [Digest: Record] {
    var records = [Digest: Record]()
    for key in try store.recordKeys() {
      do {
        records[key] = try store.record(key)
      } catch let error as PipelineError {
        throw PipelineError(error.code, "\(error.message). 'repair' sets it aside; nothing was removed")
      }
    }
    return records
  }

  /// What is to be removed, in order.
  private struct List {
    let store: Store
    var items = [Garbage.Item]()
    var keptBytes = 0

    /// - Parameter path: relative to the store.
    mutating func add(_ path: String, _ reason: String) throws {
      let bytes = try GarbageCollector.size(of: "\(store.path)/\(path)")
      items.append(Garbage.Item(path: path, bytes: bytes, reason: reason))
    }

    /// - Parameter digests: of environments that are needed. Those that were made from lock files can be made again.
    mutating func addEnvironments(named digests: [String]) throws {
      let needed = Set(digests.map { "\($0).json" })
      for name in try Files.list("\(store.path)/\(EnvironmentStore.folder)") where !needed.contains(name) {
        try add("\(EnvironmentStore.folder)/\(name)", "environments not needed")
      }
    }

    /// - Parameter needed: paths of objects; each has its checksum beside it.
    mutating func addObjects(except needed: Set<String>) throws {
      for folder in try Files.list(store.path + "/objects") {
        for name in try Files.list("\(store.path)/objects/\(folder)") {
          let path = "\(store.path)/objects/\(folder)/\(name)"
          let object = name.hasSuffix(".sha256") ? String(path.dropLast(7)) : path
          if needed.contains(object) {
            keptBytes = keptBytes.addingSaturated(try GarbageCollector.size(of: path))
          } else {
            try add("objects/\(folder)/\(name)", "objects not needed")
          }
        }
      }
    }
  }

  /// Finds and removes, unless somebody works on the store.
  /// - Parameter plans: made when nobody can add to the store any more.
  public func collect(keeping plans: () throws -> [Plan], runs: Int? = nil) throws -> Garbage {
    guard let lock = try StoreLock.exclusive(store) else {
      throw PipelineError(.busy, "\(store.path): another command works on this store; wait for its end")
    }
    return try withExtendedLifetime(lock) {
      try store.refuseLiveWaves("gc")
      try store.refuseLiveLeases("gc")
      let garbage = try find(keeping: plans(), runs: runs)
      // On a full disk neither note nor scratch folder can be made, and what is removed makes room.
      if !garbage.removedKeys.isEmpty { try? store.index.addRemovals(garbage.removedKeys.sorted()) }
      let scratch = try? store.makeScratch()
      defer { store.endScratch() }
      // Records go first: an object is gone only after nobody names it.
      for item in garbage.items {
        let path = "\(store.path)/\(item.path)"
        // Out of the way in one step: a tree that is removed in part would look like a damaged one.
        if let scratch, (try? Files.rename(path, to: scratch + "/garbage")) != nil {
          try Files.remove(scratch + "/garbage")
        } else {
          try Files.remove(path)
        }
      }
      if !garbage.removedKeys.isEmpty { try store.index.rewrite(without: garbage.removedKeys) }
      return garbage
    }
  }

  /// Paths of the objects that records name.
  private func neededObjects(_ records: [Record]) -> Set<String> {
    var paths = Set<String>()
    for record in records {
      for artifact in record.outputs.values where store.registry.formats[artifact.kind] != nil {
        paths.insert(store.objectPath(artifact))
      }
      for (port, element) in record.elements where store.registry.formats[element.kind] != nil {
        guard case .single(let digest)? = record.identity.inputs[port] else { continue }
        paths.insert(store.objectPath(Artifact(kind: element.kind, digest: digest)))
      }
    }
    return paths
  }

  /// Bytes of a file, or of all files below a folder.
  private static func size(of path: String) throws -> Int {
    guard let status = try Files.optionalStatus(path) else { return 0 }
    guard status.isFolder else { return status.size }
    // What dead runners left may be anything, and has no size that matters.
    guard let files = try? Files.walk(path, followsLinks: false) else { return 0 }
    return files.lazy.map { (try? Files.status(path + "/" + $0).size) ?? 0 }.sumSaturated()
  }
}
