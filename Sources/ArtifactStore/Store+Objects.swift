import Determinism
import PipelineModel

extension Store {
  /// Where an artifact lies: a file, or the folder of a tree.
  package func objectPath(_ artifact: Artifact) -> String { "\(path)/objects/\(objectPlace(artifact))" }

  /// The same below `objects/`.
  private func objectPlace(_ artifact: Artifact) -> String {
    let hex = artifact.digest.hex
    let ending = artifact.isExternal ? "manifest" : registry.fileExtension(ofKind: artifact.kind)
    return "\(hex.prefix(2))/\(hex.dropFirst(2)).\(ending)"
  }

  package func hasObject(_ artifact: Artifact) -> Bool {
    let name = objectPlace(artifact)
    return objectsFolder.holds(name) && objectsFolder.holds(name + ".sha256")
  }

  /// SHA-256 of an object's file, of a tree of its manifest, as it was written.
  package func checksum(of artifact: Artifact) throws -> Digest {
    let path = objectPath(artifact) + ".sha256"
    guard let digest = Digest(hex: String(decoding: try Files.read(path).dropLast(), as: UTF8.self)) else {
      throw PipelineError(.damaged, "\(path): not a SHA-256")
    }
    return digest
  }

  /// Something a stage wrote, with its digests taken, not yet in the store.
  package struct Written {
    package let path: String
    package let artifact: Artifact
    /// SHA-256 of the file, of a tree that of its manifest.
    package let checksum: Digest
    /// Bytes of the file, of a tree those of its files.
    package let size: Int
    /// Of a tree, the empty folders that were left out: a manifest has no place for them.
    package var emptyFolders: [String] = []
    /// Of a large file.
    package var sync: BackgroundSync?

    package init(
      path: String, artifact: Artifact, checksum: Digest, size: Int, emptyFolders: [String] = [],
      sync: BackgroundSync? = nil
    ) {
      self.path = path
      self.artifact = artifact
      self.checksum = checksum
      self.size = size
      self.emptyFolders = emptyFolders
      self.sync = sync
    }
  }

  /// Takes the digests of what a stage wrote; of a large file while it goes to the disk.
  package func identify(_ file: StageContext.WrittenFile, kind: String) throws -> Written {
    let path = file.path
    guard kind != TreeFormat.name else { return try identifyTree(path) }
    let size = try Files.status(path).size
    let isLarge = size > 1 << 20
    let sync = isLarge ? BackgroundSync(path) : nil
    let format = try registry.format(kind)
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
    // What a stage can see of a tree must be what its digest covers.
    let emptyFolders = try Files.removeEmptyFolders(below: path + "/" + TreeFormat.filesName)
    let manifest = try TreeManifest(ofFolder: path + "/" + TreeFormat.filesName)
    let bytes = manifest.bytes
    try Files.write(bytes, to: path + "/" + TreeFormat.manifestName)
    let digest = Digest(of: bytes)
    return Written(
      path: path, artifact: Artifact(kind: TreeFormat.name, digest: digest), checksum: digest,
      size: manifest.totalSize, emptyFolders: emptyFolders)
  }

  /// Writes a small value as a `json` artifact to be.
  package func write(_ value: CanonicalValue, to path: String) throws -> Written {
    try write(value.canonicalBytes, kind: JSONFormat.name, to: path)
  }

  /// Writes the manifest of a tree that lies in a source's folder.
  package func write(_ manifest: TreeManifest, to path: String) throws -> Written {
    try write(manifest.bytes, kind: TreeFormat.name, isExternal: true, to: path)
  }

  private func write(_ bytes: [UInt8], kind: String, isExternal: Bool = false, to path: String) throws -> Written {
    try Files.write(bytes, to: path)
    let digest = Digest(of: bytes)
    return Written(
      path: path, artifact: Artifact(kind: kind, digest: digest, isExternal: isExternal), checksum: digest,
      size: bytes.count)
  }
}
