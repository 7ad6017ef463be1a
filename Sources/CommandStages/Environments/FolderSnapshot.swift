import Determinism
import Glibc
import PipelineModel

/// The files of a folder and what the system says of them: enough to tell whether anything changed.
struct FolderSnapshot {
  struct Entry {
    /// Below the folder.
    let path: String
    let status: Files.Status
    /// Of a link.
    let target: String?
  }

  let entries: [Entry]
  /// Of paths, sizes, times, inodes and links.
  let fingerprint: Digest
  /// The latest change, in nanoseconds since 1970.
  let changed: Int128

  /// - Parameter skips: says of a name, of a file or a folder, that it does not count.
  /// - Throws: for a folder that can't be read, and names that are no text.
  init(of root: String, skipping skips: (String) -> Bool = { _ in false }) throws {
    var entries = [Entry]()
    var folders = [(path: "", depth: 0)]
    while let (folder, depth) = folders.popLast() {
      guard depth < 64 else { throw PipelineError(.badArtifact, "\(root)/\(folder): folders are too deep") }
      for name in try FileIO.list(folder.isEmpty ? root : "\(root)/\(folder)") where !skips(name) {
        let path = folder.isEmpty ? name : "\(folder)/\(name)"
        guard let status = try Files.linkStatus("\(root)/\(path)") else { continue }
        if status.isFolder {
          folders.append((path, depth + 1))
        } else {
          entries.append(
            Entry(
              path: path, status: status, target: status.isRegular ? nil : PathTrail.target(of: "\(root)/\(path)")))
        }
      }
    }
    entries.sort { $0.path.precedesInBytes($1.path) }
    self.entries = entries
    var hash = DigestBuilder()
    var changed: Int128 = 0
    for entry in entries {
      let s = entry.status
      changed = max(changed, s.changed)
      hash.update("\(entry.path)\0\(s.size) \(s.modified) \(s.changed) \(s.inode) \(s.device)\n")
      if let target = entry.target { hash.update("-> \(target)\n") }
    }
    fingerprint = hash.finalize()
    self.changed = changed
  }
}
