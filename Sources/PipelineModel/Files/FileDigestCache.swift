import Determinism
import Foundation

/// Digests of files below one root, by what `stat` says about them; an append-only file of the store.
package final class FileDigestCache {
  private struct Known {
    var size: Int
    var modified: Int128
    var changed: Int128
    var inode: UInt64
    var digest: Digest
  }

  private let path: String
  private let isObserved: Bool
  private var known: [ByteName: Known] = [:]

  /// - Parameters:
  ///   - store: the folder of the store.
  ///   - isObserved: whether the store is only looked at, so that a file that can't be written is no error.
  ///   - root: the folder of the files.
  package init(store: String, isObserved: Bool, root: String) throws {
    self.isObserved = isObserved
    path = "\(store)/sources/\(Digest(of: root).hex)"
    guard Files.exists(path) else { return }
    for line in try Files.read(path).split(separator: 0x0A) {
      let fields = line.split(separator: 0x20, maxSplits: 6, omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
      }
      guard fields.count == 7, fields[6].utf8.last == UInt8(ascii: "/"), let size = Int(fields[0]),
        let modified = Int128(fields[1]),
        let changed = Int128(fields[2]), let inode = UInt64(fields[3]), let digest = Digest(hex: fields[4])
      else { continue }
      // A file that changed within two seconds of the scan may have changed after it without a change of its times.
      guard let seen = Int(fields[5]), changed < Int128(seen) - 2_000_000_000 else { continue }
      known[ByteName(String(decoding: fields[6].utf8.dropLast(), as: UTF8.self))] = Known(
        size: size, modified: modified, changed: changed, inode: inode, digest: digest)
    }
  }

  package func digest(of file: String, _ status: Files.Status) -> Digest? {
    guard let k = known[ByteName(file)], k.size == status.size, k.modified == status.modified,
      k.changed == status.changed,
      k.inode == status.inode
    else { return nil }
    return k.digest
  }

  /// Files remembered, sorted.
  package var files: [String] { known.keys.sorted().map(\.text) }

  /// Nanoseconds since 1970.
  package static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int(time.tv_sec).multipliedSaturated(by: 1_000_000_000).addingSaturated(Int(time.tv_nsec))
  }

  /// - Parameter now: nanoseconds since 1970, before the first of the files was read.
  package func remember(_ files: [(path: String, status: Files.Status, digest: Digest)], at now: Int) throws {
    var text = "\n"
    for (path, s, digest) in files {
      // The slash at the end tells a whole line from a torn one.
      text += "\(s.size) \(s.modified) \(s.changed) \(s.inode) \(digest.hex) \(now) \(path)/\n"
    }
    do {
      try Files.write(Array(text.utf8), to: path, append: true)
    } catch {
      // A store that is only looked at need not be there.
      if !isObserved { throw error }
    }
  }
}
