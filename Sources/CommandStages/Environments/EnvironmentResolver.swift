import Determinism
import PipelineModel
import Synchronization

/// Finds out what environments consist of, each of them once.
final class EnvironmentResolver: Sendable {
  private struct State {
    var found: [Key: ResolvedEnvironment] = [:]
    var memory: EnvironmentMemory?
  }

  private struct Key: Hashable {
    let description: CanonicalValue
  }

  private let host: StageHost
  private let state = Mutex(State())

  init(_ host: StageHost) { self.host = host }

  /// - Parameter checkout: folders that belong to the pipeline.
  /// - Throws: code `missingTool` where the environment is not there, can't be told, or must not be shown.
  func resolve(
    _ description: EnvironmentDescription, stage: String, checkout: [String]
  ) throws -> ResolvedEnvironment {
    try state.withLock { state in
      let key = Key(description: description.canonical)
      if let found = state.found[key] { return found }
      let found: ResolvedEnvironment
      do {
        if case .folder(let folder) = description.origin,
          let why = PrivatePlaces.refusal(folder, checkout: checkout)
        {
          throw PipelineError(.missingTool, "environment '\(description.name)': \(why)")
        }
        found = try make(description, &state)
      } catch let error as PipelineError where error.code == .missingTool {
        throw PipelineError(.missingTool, at: description.location, "stage '\(stage)': \(error.message)")
      } catch let error as FileFailure {
        throw PipelineError(
          .missingTool, at: description.location,
          "stage '\(stage)': environment '\(description.name)' can't be read: \(error)")
      }
      state.found[key] = found
      return found
    }
  }

  private func make(_ description: EnvironmentDescription, _ state: inout State) throws -> ResolvedEnvironment {
    switch description.origin {
    case .system: return try finished(description, ["kind": "system"])
    case .venv(let folder, _): return try python(description, at: folder, &state)
    case .uv(let lock, let extras):
      return try python(
        description, at: try UvEnvironment(lock, extras: extras, description.name).folder(on: host), &state)
    case .conda(let lock, let prefix):
      let folder = try CondaEnvironment(lock: lock, prefix: prefix, description.name).folder(on: host)
      return try installation(description, at: folder, kind: "conda", &state)
    case .folder(let folder): return try installation(description, at: folder, kind: "folder", &state)
    case .image(let file): return try image(description, file)
    }
  }

  private func finished(
    _ description: EnvironmentDescription, _ members: [String: CanonicalValue]
  ) throws -> ResolvedEnvironment {
    var members = members
    if !description.variables.isEmpty {
      members["variables"] = .object(description.variables.mapValues { .string($0) })
    }
    let contents = CanonicalValue.object(members)
    try EnvironmentStore.keep(contents, in: host.store, isObserved: host.isObserved)
    return ResolvedEnvironment(description, contents: contents)
  }

  /// - Parameters:
  ///   - snapshots: of everything that is read.
  ///   - read: what it holds, where that is not remembered.
  private func remembered(
    _ snapshots: [FolderSnapshot], as what: String, _ state: inout State, _ read: () throws -> [String: CanonicalValue]
  ) throws -> [String: CanonicalValue] {
    let memory = try state.memory ?? EnvironmentMemory(host)
    state.memory = memory
    let fingerprint = Digest(of: "\(what) " + snapshots.map(\.fingerprint.hex).joined(separator: " "))
    if let known = memory.contents(fingerprint)?.objectValue { return known }
    let seen = FileDigestCache.now()
    let members = try read()
    try memory.remember(.object(members), fingerprint, changed: snapshots.map(\.changed).max() ?? 0, seen: seen)
    return members
  }

  private func python(
    _ description: EnvironmentDescription, at folder: String, _ state: inout State
  ) throws -> ResolvedEnvironment {
    let python = try PythonEnvironment(at: folder, name: description.name)
    let parts = [folder] + python.systemSites
    @Sendable func look() throws -> [FolderSnapshot] {
      try parts.map { try FolderSnapshot(of: $0, skipping: PythonEnvironment.isSkipped) }
    }
    let snapshots = try look()
    let prefix = try python.interpreterPrefix()
    let installation = try prefix.map { (prefix: $0, snapshot: try python.interpreterSnapshot($0)) }
    let all = snapshots + [installation?.snapshot].compactMap(\.self)
    let interpreter = try Files.linkStatus(python.interpreter)
    let what = "python \(interpreter?.inode ?? 0) \(interpreter?.changed ?? 0)"
    let members = try remembered(all, as: what, &state) {
      try python.contents(snapshots[0], installation, on: host)
    }
    var found = try finished(description, members)
    found.mounts = [ResolvedEnvironment.Mount(folder, at: Confinement.environmentFolder)]
    found.links = [ResolvedEnvironment.Mount(Confinement.environmentFolder, at: folder)]
    if let prefix { found.mounts.append(ResolvedEnvironment.Mount(prefix, at: prefix)) }
    found.programFolders = ["\(folder)/bin"]
    found.variables["VIRTUAL_ENV"] = Confinement.environmentFolder
    let fingerprints = all.map(\.fingerprint)
    found.isUnchanged = {
      let now = try look() + (prefix.map { [try python.interpreterSnapshot($0)] } ?? [])
      return try now.map(\.fingerprint) == fingerprints && Files.linkStatus(python.interpreter) == interpreter
    }
    return found
  }

  private func installation(
    _ description: EnvironmentDescription, at folder: String, kind: String, _ state: inout State
  ) throws -> ResolvedEnvironment {
    guard (try? Files.type(folder)) == .folder else {
      throw PipelineError(.missingTool, "environment '\(description.name)': \(folder) is no folder")
    }
    @Sendable func look() throws -> FolderSnapshot {
      try FolderSnapshot(of: folder, skipping: PythonEnvironment.isSkipped)
    }
    let snapshot = try look()
    let members = try remembered([snapshot], as: kind, &state) {
      let files = try InstalledFiles(of: folder, on: host)
      defer { try? files.remember() }
      if kind == "conda" { return try CondaPackages(in: folder, snapshot, files, description.name).members }
      return ["kind": .string(kind), "files": .string(try files.digest(of: snapshot.entries, as: .bytes).hex)]
    }
    var found = try finished(description, members)
    // Programs of such a folder may know where they were installed.
    found.mounts = [ResolvedEnvironment.Mount(folder, at: folder)]
    found.programFolders = ["\(folder)/bin", folder].filter { Files.exists($0) }
    found.isUnchanged = { try look().fingerprint == snapshot.fingerprint }
    return found
  }

  private func image(_ description: EnvironmentDescription, _ file: String) throws -> ResolvedEnvironment {
    let image = try ImageEnvironment(file, description.name)
    let digest = try image.digest(on: host)
    var found = try finished(description, ["kind": "image", "sha256": .string(digest.hex)])
    found.root = try image.folder(digest, on: host)
    let seal = try FolderSnapshot(of: found.root!).fingerprint
    found.isUnchanged = { [root = found.root!] in try FolderSnapshot(of: root).fingerprint == seal }
    found.programFolders = ["/usr/local/bin", "/usr/bin", "/bin"]
    return found
  }
}
