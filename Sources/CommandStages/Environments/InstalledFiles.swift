import Determinism
import PipelineModel

/// Content digests of the files of an installation, each file hashed once and remembered by what the system says of it.
final class InstalledFiles {
  let root: String
  private let cache: FileDigestCache
  private var fresh: [(path: String, status: Files.Status, digest: Digest)] = []
  private let now = FileDigestCache.now()

  init(of root: String, on host: StageHost) throws {
    self.root = root
    cache = try FileDigestCache(store: host.store, isObserved: host.isObserved, root: "environment \(root)")
  }

  /// The digest of what a file holds, of a link of where it leads.
  ///
  /// Scripts that an installer made name its place in their first lines: these do not count.
  /// - Parameter isScript: whether the file is one, if it begins like one.
  func digest(of entry: FolderSnapshot.Entry, isScript: Bool) throws -> Digest {
    if let target = entry.target { return Digest(of: "link \(target)") }
    guard entry.status.isRegular else {
      throw PipelineError(.badArtifact, "\(root)/\(entry.path): neither a file nor a folder")
    }
    let name = isScript ? "script \(entry.path)" : entry.path
    if let known = cache.digest(of: name, entry.status) { return known }
    let path = "\(root)/\(entry.path)"
    let digest = try isScript ? InstalledFiles.scriptDigest(path) : Files.sha256(path)
    guard try Files.linkStatus(path) == entry.status else {
      throw PipelineError(.io, "\(path): changed while it was read; run again")
    }
    fresh.append((name, entry.status, digest))
    return digest
  }

  /// Keeps what was learned for the next time.
  func remember() throws {
    if !fresh.isEmpty { try cache.remember(fresh, at: now) }
  }

  private static let scriptLimit = 1 << 20

  private static func scriptDigest(_ path: String) throws -> Digest {
    let size = try Files.status(path).size
    guard size <= scriptLimit else { return try Files.sha256(path) }
    let bytes = try Files.read(path)
    guard bytes.starts(with: Array("#!".utf8)) else { return Digest(of: bytes) }
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    // Where the path is too long for the kernel, installers write `#!/bin/sh`, `'''exec' PATH "$0" "$@"` and `' '''`.
    let isLong = lines.count > 2 && lines[1].starts(with: Array("'''exec'".utf8))
    return Digest(of: Array(lines.dropFirst(isLong ? 3 : 1).joined(separator: [0x0A])))
  }
}
