import Determinism
import Synchronization

/// Objects this process has verified already: a stored object is hashed once, not once per reader.
final class VerifiedObjects: Sendable {
  private let paths = Mutex<Set<String>>([])

  func contains(_ path: String) -> Bool { paths.withLock { $0.contains(path) } }
  func insert(_ path: String) { paths.withLock { _ = $0.insert(path) } }
}

extension Store {
  /// Where an artifact lies: a file, or the folder of a tree.
  func objectPath(_ artifact: Artifact) -> String {
    let hex = artifact.digest.hex
    let ending = artifact.isExternal ? "manifest" : type(of: registry.format(artifact.kind)).fileExtension
    return "\(path)/objects/\(hex.prefix(2))/\(hex.dropFirst(2)).\(ending)"
  }

  func hasObject(_ artifact: Artifact) -> Bool {
    let path = objectPath(artifact)
    return Files.exists(path) && Files.exists(path + ".sha256")
  }

  /// Checks the bytes of an object against the SHA-256 beside it, once per process.
  /// - Throws: code `damaged` with what is wrong and what to do.
  func verify(_ artifact: Artifact) throws {
    let path = objectPath(artifact)
    if verified.contains(path) { return }
    if let damage = try damage(of: artifact) {
      throw PipelineError(
        .damaged, "\(path): \(damage). Delete it and run again: the stage that made it makes it anew")
    }
    verified.insert(path)
  }

  /// What is wrong with the bytes of an object; nil where they are those that were written.
  func damage(of artifact: Artifact) throws -> String? {
    let path = objectPath(artifact)
    guard let status = try Files.optionalStatus(path) else { return "missing" }
    guard Files.exists(path + ".sha256") else { return "the file with its SHA-256 is missing" }
    let isTree = artifact.kind == TreeFormat.name && !artifact.isExternal
    guard status.isFolder == isTree else { return isTree ? "not a folder" : "not a file" }
    let file = isTree ? path + "/" + TreeFormat.manifestName : path
    let written = try Files.read(path + ".sha256")
    let found = try Files.sha256(file)
    if written != Array("\(found.hex)\n".utf8) {
      return Digest(hex: String(decoding: written.dropLast(), as: UTF8.self)) == nil
        ? "the file with its SHA-256 is damaged" : "its bytes changed (SHA-256 is now \(found.short)...)"
    }
    guard isTree else { return nil }
    guard let manifest = TreeManifest(bytes: try Files.read(file)) else { return "its manifest is not readable" }
    let actual = try TreeManifest(ofFolder: path + "/" + TreeFormat.filesName)
    return manifest.differences(to: actual, limit: 1).first.map {
      "its files changed: \($0.place) was \($0.first), is \($0.second)"
    }
  }

  /// Something a stage wrote, with its digests taken, not yet in the store.
  struct Written {
    let path: String
    let artifact: Artifact
    /// SHA-256 of the file, of a tree that of its manifest.
    let checksum: Digest
    /// Bytes of the file, of a tree those of its files.
    let size: Int
  }

  /// Reads back what a stage wrote.
  /// - Parameter path: what the stage's context made for the output.
  func identify(_ path: String, kind: String) throws -> Written {
    guard kind == TreeFormat.name else {
      let digest = try registry.format(kind).digest(ofFileAt: path)
      return Written(
        path: path, artifact: Artifact(kind: kind, digest: digest), checksum: try Files.sha256(path),
        size: try Files.status(path).size)
    }
    let manifest = try TreeManifest(ofFolder: path + "/" + TreeFormat.filesName)
    let bytes = manifest.bytes
    try Files.write(bytes, to: path + "/" + TreeFormat.manifestName)
    let digest = Digest(of: bytes)
    return Written(
      path: path, artifact: Artifact(kind: kind, digest: digest), checksum: digest, size: manifest.totalSize)
  }

  /// Moves what a stage wrote into the store. An equal sound object that is there already stays.
  func publish(_ written: Written) throws {
    if written.artifact.kind == TreeFormat.name { try protectTree(written.path) }
    try place(written.path, as: written.artifact, checksum: written.checksum)
  }

  /// Stores a small value as a `json` artifact.
  func publish(_ value: CanonicalValue) throws -> Artifact {
    let artifact = Artifact(kind: JSONFormat.name, digest: value.digest)
    try publish(value.canonicalBytes, as: artifact)
    return artifact
  }

  /// Stores the manifest of a tree that lies in a source's folder.
  func publish(_ manifest: TreeManifest) throws -> Artifact {
    let bytes = manifest.bytes
    let artifact = Artifact(kind: TreeFormat.name, digest: Digest(of: bytes), isExternal: true)
    try publish(bytes, as: artifact)
    return artifact
  }

  private func publish(_ bytes: [UInt8], as artifact: Artifact) throws {
    if verified.contains(objectPath(artifact)) { return }
    let scratch = try makeScratch()
    defer { try? Files.remove(scratch) }
    try Files.write(bytes, to: scratch + "/object")
    try place(scratch + "/object", as: artifact, checksum: Digest(of: bytes))
  }

  /// Makes the files of a tree read-only and brings them and their folders to the disk.
  private func protectTree(_ tree: String) throws {
    let files = tree + "/" + TreeFormat.filesName
    let paths = try TreeFormat.manifest(of: tree).entries.map(\.path)
    var folders: Set<String> = [files]
    for path in paths {
      try Files.makeReadOnly(files + "/" + path)
      var parent = path[...]
      while let slash = parent.lastIndex(of: "/") {
        parent = parent[..<slash]
        folders.insert(files + "/" + parent)
      }
    }
    try Files.sync(all: paths.map { files + "/" + $0 } + folders.sorted())
  }

  private func place(_ written: String, as artifact: Artifact, checksum: Digest) throws {
    let target = objectPath(artifact)
    if hasObject(artifact), try damage(of: artifact) == nil {
      try Files.remove(written)
      verified.insert(target)
      return
    }
    let folder = String(target[..<target.lastIndex(of: "/")!])
    try Files.makeFolder(folder)
    try Files.write(Array("\(checksum.hex)\n".utf8), to: written + ".sha256")
    if artifact.kind == TreeFormat.name, !artifact.isExternal {
      try Files.makeReadOnly(written + "/" + TreeFormat.manifestName)
      try Files.sync(written + "/" + TreeFormat.manifestName)
      try Files.remove(target)  // A folder can't be renamed over another that is not empty.
    } else {
      try Files.makeReadOnly(written)
    }
    try Files.makeReadOnly(written + ".sha256")
    try Files.sync(written)
    try Files.sync(written + ".sha256")
    // The checksum goes first: an object without one is never seen.
    try Files.rename(written + ".sha256", to: target + ".sha256")
    try Files.rename(written, to: target)
    try Files.sync(folder)
    verified.insert(target)
  }
}
