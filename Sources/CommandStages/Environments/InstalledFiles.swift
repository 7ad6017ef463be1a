import Determinism
import Glibc
import PipelineModel

/// Content digests of the files of an installation, each file hashed once and remembered by what the system says of it.
final class InstalledFiles {
  /// What of a file counts.
  enum Reading {
    case bytes
    /// A script that an installer made names its place in its first lines: these do not count.
    case script
    /// Without every mention of the folder that the installation lies in.
    case placeless
  }

  let root: String
  private let cache: FileDigestCache
  private var fresh: [(path: String, status: Files.Status, digest: Digest)] = []
  private let now = FileDigestCache.now()

  init(of root: String, on host: StageHost) throws {
    self.root = root
    cache = try FileDigestCache(store: host.store, isObserved: host.isObserved, root: "environment \(root)")
  }

  /// The digest of what a file holds, of a link of where it leads.
  func digest(of entry: FolderSnapshot.Entry, as reading: Reading) throws -> Digest {
    if let target = entry.target { return Digest(of: "link \(target)") }
    guard entry.status.isRegular else {
      throw PipelineError(.badArtifact, "\(root)/\(entry.path): neither a file nor a folder")
    }
    let name = reading == .bytes ? entry.path : "\(reading) \(entry.path)"
    if let known = cache.digest(of: name, entry.status) { return known }
    let path = "\(root)/\(entry.path)"
    let digest =
      switch reading {
      case .bytes: try Files.sha256(path)
      case .script: try InstalledFiles.scriptDigest(path)
      case .placeless: try placelessDigest(path, entry.status)
      }
    guard try Files.linkStatus(path) == entry.status else {
      throw PipelineError(.io, "\(path): changed while it was read; run again")
    }
    fresh.append((name, entry.status, digest))
    return digest
  }

  /// Keeps what was learned for the next time.
  func remember() throws {
    if !fresh.isEmpty { try cache.remember(fresh, at: now) }
    fresh = []
  }

  private static let scriptLimit = 1 << 20
  /// Larger files do not name their place.
  private static let placelessLimit = 1 << 26

  private static func scriptDigest(_ path: String) throws -> Digest {
    let size = try Files.status(path).size
    guard size <= scriptLimit else { return try Files.sha256(path) }
    let bytes = try Files.read(path)
    guard bytes.starts(with: Array("#!".utf8)) else { return Digest(of: bytes) }
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    // Where the path is too long for the kernel, installers write three lines: `#!/bin/sh`, one that begins with three
    // quotes and `exec`, and one that closes the quotes.
    let isLong = lines.count > 2 && lines[1].starts(with: Array("\'\'\'exec".utf8))
    return Digest(of: Array(lines.dropFirst(isLong ? 3 : 1).joined(separator: [0x0A])))
  }

  private func placelessDigest(_ path: String, _ status: Files.Status) throws -> Digest {
    guard status.size <= InstalledFiles.placelessLimit else { return try Files.sha256(path) }
    let bytes = try Files.read(path)
    let place = Array(root.utf8)
    var builder = DigestBuilder()
    bytes.withUnsafeBytes { all in
      var (start, next) = (0, 0)
      while next + place.count <= all.count,
        let slash = memchr(all.baseAddress! + next, Int32(place[0]), all.count - place.count + 1 - next)
      {
        let offset = UnsafeRawPointer(slash) - all.baseAddress!
        next = offset + 1
        guard memcmp(slash, place, place.count) == 0 else { continue }
        builder.update(UnsafeRawBufferPointer(rebasing: all[start..<offset]))
        (start, next) = (offset + place.count, offset + place.count)
      }
      builder.update(UnsafeRawBufferPointer(rebasing: all[start...]))
    }
    return builder.finalize()
  }
}
