import Determinism
import Glibc
import PipelineModel

/// Content digests of the files of an installation, each file hashed once and remembered by what the system says of it.
final class InstalledFiles {
  /// What of a file counts.
  enum Reading {
    case bytes
    /// Without every mention of the folder that the installation lies in: installers write it into scripts and settings.
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
      case .placeless: try placelessDigest(path, entry.status)
      }
    guard try Files.linkStatus(path) == entry.status else {
      throw PipelineError(.io, "\(path): changed while it was read; run again")
    }
    fresh.append((name, entry.status, digest))
    return digest
  }

  /// The digest of the names and contents of many files. A name may hold a line break, so each ends with a zero byte.
  static func digest(_ files: some Sequence<(path: String, digest: Digest)>) -> Digest {
    var builder = DigestBuilder()
    for (path, digest) in files { builder.update("\(digest.hex) \(path)\0") }
    return builder.finalize()
  }

  /// Of all files of a listing.
  func digest(of entries: [FolderSnapshot.Entry], as reading: Reading) throws -> Digest {
    InstalledFiles.digest(try entries.map { ($0.path, try digest(of: $0, as: reading)) })
  }

  /// Keeps what was learned for the next time.
  func remember() throws {
    if !fresh.isEmpty { try cache.remember(fresh, at: now) }
    fresh = []
  }

  /// Larger files do not name their place.
  private static let placelessLimit = 1 << 26

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
