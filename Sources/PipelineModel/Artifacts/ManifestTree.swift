import Determinism

/// The files of a manifest below a folder. What is read has the size and the SHA-256 that the manifest says, whatever
/// happened to the folder meanwhile.
struct ManifestTree: FileTree {
  package let root: String
  private let manifest: TreeManifest
  private let entries: [ByteName: TreeManifest.Entry]

  init(root: String, manifest: TreeManifest) {
    self.root = root
    self.manifest = manifest
    entries = Dictionary(manifest.entries.map { (ByteName($0.path), $0) }, uniquingKeysWith: { a, _ in a })
  }

  package var paths: [String] { manifest.entries.map(\.path) }

  package func contains(_ path: String) -> Bool { entries[ByteName(path)] != nil }

  package func read(_ path: String, limit: Int) throws -> [UInt8] {
    guard let entry = entries[ByteName(path)] else {
      throw PipelineError(.badArtifact, "\(root): no file '\(path)' belongs to the tree")
    }
    guard entry.size <= limit else {
      throw PipelineError(
        .badArtifact, "\(root)/\(path): has \(entry.size) bytes, more than such a file can have (\(limit))")
    }
    let bytes: [UInt8]
    do {
      bytes = try Files.read("\(root)/\(path)", limit: limit)
    } catch let error as PipelineError where error.code == .io && !Files.exists("\(root)/\(path)") {
      throw PipelineError(.badArtifact, "\(root)/\(path) is gone; nothing was stored. Run again")
    }
    guard bytes.count == entry.size, Digest(of: bytes) == entry.sha256 else {
      throw PipelineError(.badArtifact, "\(root)/\(path) changed while it was in use; nothing was stored. Run again")
    }
    return bytes
  }
}
