import Determinism

/// The files of a tree: relative path, size and SHA-256 of each, sorted by the bytes of the path.
///
/// Its text is one line per file, `<sha256> <size> <path>`, after the line `tree 1`. Where a file is executable the
/// first line is `tree 2`, and `x` or `-` stands before each path. SHA-256 of that text is the digest of the tree.
package struct TreeManifest: Equatable, Sendable {
  package struct Entry: Equatable, Sendable {
    /// Relative, with `/`, without `.` and `..`.
    package var path: String
    package var size: Int
    package var sha256: Digest
    /// Whether its owner may execute it; no other permission counts.
    package var isExecutable = false

    package init(path: String, size: Int, sha256: Digest, isExecutable: Bool = false) {
      self.path = path
      self.size = size
      self.sha256 = sha256
      self.isExecutable = isExecutable
    }

    package static func == (a: Entry, b: Entry) -> Bool {
      a.path.hasSameBytes(as: b.path) && a.size == b.size && a.sha256 == b.sha256 && a.isExecutable == b.isExecutable
    }
  }

  package private(set) var entries: [Entry]

  package init(_ entries: [Entry]) {
    self.entries = entries.sorted { $0.path.precedesInBytes($1.path) }
  }

  /// The folders that the files lie in, relative, each before those in it.
  package var folders: [String] { TreeManifest.folders(of: entries.lazy.map(\.path)) }

  /// The folders that some paths lie in, relative, each before those in it.
  package static func folders(of paths: some Sequence<String>) -> [String] {
    var found = Set<ByteName>()
    for path in paths {
      var parent = path[...]
      while let slash = parent.utf8.lastIndex(of: UInt8(ascii: "/")) {
        parent = parent[..<slash]
        if !found.insert(ByteName(parent)).inserted { break }
      }
    }
    return found.sorted().map(\.text)
  }

  package var bytes: [UInt8] {
    let hasModes = entries.contains(where: \.isExecutable)
    var out = Array("tree \(hasModes ? 2 : 1)\n".utf8)
    out.reserveCapacity(entries.count * 128)
    for entry in entries {
      out += entry.sha256.hex.utf8
      out.append(0x20)
      out += String(entry.size).utf8
      out.append(0x20)
      if hasModes { out += (entry.isExecutable ? "x " : "- ").utf8 }
      out += entry.path.utf8
      out.append(0x0A)
    }
    return out
  }

  package var digest: Digest { Digest(of: bytes) }
  /// Saturates: a manifest from elsewhere may say anything.
  package var totalSize: Int { entries.lazy.map(\.size).sumSaturated() }

  /// Reads a manifest's text; nil where it is not exactly what `bytes` writes.
  package init?(bytes: [UInt8]) {
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    guard lines.count >= 2, lines.removeLast().isEmpty else { return nil }
    let version = String(decoding: lines.removeFirst(), as: UTF8.self)
    guard version == "tree 1" || version == "tree 2" else { return nil }
    let hasModes = version == "tree 2"
    var entries = [Entry]()
    entries.reserveCapacity(lines.count)
    for line in lines {
      let fields = line.split(separator: 0x20, maxSplits: hasModes ? 3 : 2, omittingEmptySubsequences: false)
      guard fields.count == (hasModes ? 4 : 3), let digest = Digest(hex: String(decoding: fields[0], as: UTF8.self)),
        let size = Int(String(decoding: fields[1], as: UTF8.self))
      else { return nil }
      guard let path = String(validating: fields.last!, as: UTF8.self) else { return nil }
      guard size >= 0, TreeManifest.isInside(path) else { return nil }
      entries.append(
        Entry(path: path, size: size, sha256: digest, isExecutable: hasModes && fields[2].elementsEqual("x".utf8)))
    }
    self.entries = entries
    guard self.bytes == bytes, isConsistent else { return nil }
  }

  /// Whether no path comes twice, in rising order, and none is both a file and a folder.
  private var isConsistent: Bool {
    guard zip(entries, entries.dropFirst()).allSatisfy({ $0.path.precedesInBytes($1.path) }) else { return false }
    let folders = Set(folders.map { ByteName($0) })
    return entries.allSatisfy { !folders.contains(ByteName($0.path)) }
  }

  /// Whether a path leads to a place below the folder it starts from.
  private static func isInside(_ path: String) -> Bool {
    !path.utf8.contains(0)
      && path.splitBytes(at: UInt8(ascii: "/")).allSatisfy { part in
        !["", ".", ".."].contains { $0.hasSameBytes(as: part) }
      }
  }

  /// Hashes every file below a folder, on all threads.
  /// - Throws: for links, odd files and names that a manifest can't hold.
  package init(ofFolder root: String) throws {
    let files = try Files.walk(root, followsLinks: false)
    let results: [Result<Entry, any Error>] = Parallel.map(files.count) { i in
      Result {
        let path = root + "/" + files[i]
        let status = try Files.status(path)
        return Entry(
          path: files[i], size: status.size, sha256: try Files.sha256(path), isExecutable: status.isExecutable)
      }
    }
    self.init(try results.map { try $0.get() })
  }

  /// The paths whose files differ in the other manifest, sorted.
  package func differences(to other: TreeManifest, limit: Int = .max) -> [ArtifactDifference] {
    var out = [ArtifactDifference]()
    var (i, j) = (0, 0)
    func text(_ entry: Entry) -> String {
      "\(entry.size) bytes \(entry.sha256.short)\(entry.isExecutable ? ", executable" : "")"
    }
    while out.count < limit, i < entries.count || j < other.entries.count {
      let mine = i < entries.count ? entries[i] : nil
      let theirs = j < other.entries.count ? other.entries[j] : nil
      if let mine, let theirs, mine.path.hasSameBytes(as: theirs.path) {
        if mine != theirs {
          out.append(ArtifactDifference(place: mine.path, first: text(mine), second: text(theirs)))
        }
        i += 1
        j += 1
      } else if let mine, theirs.map({ mine.path.precedesInBytes($0.path) }) ?? true {
        out.append(ArtifactDifference(place: mine.path, first: text(mine), second: "absent"))
        i += 1
      } else if let theirs {
        out.append(ArtifactDifference(place: theirs.path, first: "absent", second: text(theirs)))
        j += 1
      }
    }
    return out
  }
}
