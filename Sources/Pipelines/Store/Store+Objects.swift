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

  /// Whether this process has verified an object already.
  func isVerified(_ artifact: Artifact) -> Bool { verified.contains(objectPath(artifact)) }

  /// What is wrong with the bytes of an object; nil where they are those that were written.
  func damage(of artifact: Artifact) throws -> String? {
    let path = objectPath(artifact)
    guard let status = try Files.optionalStatus(path) else { return "missing" }
    guard Files.exists(path + ".sha256") else { return "the file with its SHA-256 is missing" }
    guard !Files.isLink(path), !Files.isLink(path + ".sha256") else { return "a link, not what was stored" }
    let isTree = artifact.kind == TreeFormat.name && !artifact.isExternal
    guard status.isFolder == isTree else { return isTree ? "not a folder" : "not a file" }
    let file = isTree ? path + "/" + TreeFormat.manifestName : path
    let written = try Files.read(path + ".sha256", limit: 1024)
    let found = try Files.sha256(file)
    if written != Array("\(found.hex)\n".utf8) {
      return Digest(hex: String(decoding: written.dropLast(), as: UTF8.self)) == nil
        ? "the file with its SHA-256 is damaged" : "its bytes changed (SHA-256 is now \(found.short)...)"
    }
    guard isTree else { return nil }
    guard !Files.isLink(file), !Files.isLink(path + "/" + TreeFormat.filesName) else {
      return "a link, not what was stored"
    }
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
    /// Of a large file.
    var sync: BackgroundSync?
  }

  /// Takes the digests of what a stage wrote; of a large file while it goes to the disk.
  func identify(_ file: StageContext.WrittenFile, kind: String) throws -> Written {
    let path = file.path
    guard kind != TreeFormat.name else { return try identifyTree(path) }
    let size = try Files.status(path).size
    let isLarge = size > 1 << 20
    let sync = isLarge ? BackgroundSync(path) : nil
    let format = registry.format(kind)
    // One pass over the file's bytes can't be shared by threads, but another thread can see to the content meanwhile.
    let digests = Parallel.withThreads(isLarge ? Parallel.threads : 1) {
      Parallel.map(2) { i in
        Result { try i == 0 ? Files.sha256(path) : file.digest.map { try $0() } ?? format.digest(ofFileAt: path) }
      }
    }
    return Written(
      path: path, artifact: Artifact(kind: kind, digest: try digests[1].get()), checksum: try digests[0].get(),
      size: size, sync: sync)
  }

  private func identifyTree(_ path: String) throws -> Written {
    let manifest = try TreeManifest(ofFolder: path + "/" + TreeFormat.filesName)
    let bytes = manifest.bytes
    try Files.write(bytes, to: path + "/" + TreeFormat.manifestName)
    let digest = Digest(of: bytes)
    return Written(
      path: path, artifact: Artifact(kind: TreeFormat.name, digest: digest), checksum: digest,
      size: manifest.totalSize)
  }

  /// Writes a small value as a `json` artifact to be.
  func write(_ value: CanonicalValue, to path: String) throws -> Written {
    try write(value.canonicalBytes, kind: JSONFormat.name, to: path)
  }

  /// Writes the manifest of a tree that lies in a source's folder.
  func write(_ manifest: TreeManifest, to path: String) throws -> Written {
    try write(manifest.bytes, kind: TreeFormat.name, isExternal: true, to: path)
  }

  private func write(_ bytes: [UInt8], kind: String, isExternal: Bool = false, to path: String) throws -> Written {
    try Files.write(bytes, to: path)
    let digest = Digest(of: bytes)
    return Written(
      path: path, artifact: Artifact(kind: kind, digest: digest, isExternal: isExternal), checksum: digest,
      size: bytes.count)
  }

  /// Puts a tree where a damaged one, or none, is. A folder can't be renamed over another that is not empty.
  func replaceTree(_ target: String, with tree: String) throws {
    if Files.exists(target) {
      // Kept until the new one is there; the scratch folder it goes to is removed soon.
      try Files.rename(target, to: tree + ".damaged")
    }
    try Files.rename(tree, to: target)
  }
}
