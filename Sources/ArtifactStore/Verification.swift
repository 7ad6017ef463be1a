import Determinism
import Foundation
import PipelineModel
import Synchronization

/// What the system reports of the files of an object. It changes with every change of theirs: no tool can set back the
/// time at which an inode changed.
package struct Fingerprint: Hashable, Sendable {
  /// Of the file and its checksum, of a tree of all its files and folders.
  private let statuses: [Files.Status]

  init(_ statuses: [Files.Status]) { self.statuses = statuses }

  /// Whether nothing differs but the times at which inodes changed. A machine that shares a file system may learn late of
  /// the last change of a file before it got its name.
  func isSame(as other: Fingerprint, exceptTimes: Bool) -> Bool {
    guard exceptTimes, statuses.count == other.statuses.count else { return self == other }
    return zip(statuses, other.statuses).allSatisfy { mine, theirs in
      var theirs = theirs
      theirs.changed = mine.changed
      return mine == theirs
    }
  }

  /// Whether something changed so recently that another change might show the same times.
  var isFresh: Bool {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let latest = statuses.map(\.changed).max() ?? 0
    return latest > Int128(now.tv_sec) * 1_000_000_000 + Int128(now.tv_nsec) - Fingerprint.granularity
  }

  /// Nanoseconds: a few ticks of the clock that file systems take their times from.
  private static let granularity: Int128 = 20_000_000
}

/// Objects that this process has verified already, with what the system said of their files then: an object is hashed
/// once, not once per reader, and again as soon as anything about it changed.
final class VerifiedObjects: Sendable {
  private let known = Mutex<[String: Fingerprint]>([:])

  package func contains(_ path: String, _ fingerprint: Fingerprint) -> Bool {
    known.withLock { $0[path] == fingerprint }
  }

  /// - Parameter isOwn: whether this process wrote the object a moment ago, so that nobody else can have changed it.
  package func remember(_ path: String, _ fingerprint: Fingerprint, isOwn: Bool = false) {
    if isOwn || !fingerprint.isFresh { known.withLock { $0[path] = fingerprint } }
  }

  func forget(_ path: String) { known.withLock { $0[path] = nil } }
}

extension Store {
  /// Checks that the bytes of an object are those that were written, unless this process did so and nothing about its
  /// files changed since.
  /// - Parameter keepGoing: asked now and then while a large file is hashed; false ends that with `StageInterrupted`.
  /// - Returns: what tells whether its files change from now on.
  /// - Throws: code `damaged` with what is wrong and what to do.
  @discardableResult
  package func verify(_ artifact: Artifact, while keepGoing: () -> Bool = { true }) throws -> Fingerprint {
    try waitUntilSeen(artifact, while: keepGoing)
    let path = objectPath(artifact)
    var before = try fingerprint(of: artifact)
    if let before, verified.contains(path, before) { return before }
    // Where machines share a file system, what one is told of a file may be older than the file: then once more.
    for _ in 0..<(sharing.isOn ? 5 : 1) {
      if let damage = try damage(of: artifact, while: keepGoing) {
        throw PipelineError(
          .damaged, "\(path): \(damage). Delete it and run again: the stage that made it is executed again")
      }
      let after = try fingerprint(of: artifact)
      if let before, after == before {
        verified.remember(path, before)
        return before
      }
      before = after
    }
    throw PipelineError(.damaged, "\(path): it changed while it was checked. Run again")
  }

  /// Whether an object is what it was when it was verified.
  package func isUnchanged(_ artifact: Artifact, since fingerprint: Fingerprint) throws -> Bool {
    guard let now = try self.fingerprint(of: artifact) else { return false }
    if now == fingerprint { return true }
    return try now.isSame(as: fingerprint, exceptTimes: sharing.isOn) && damage(of: artifact) == nil
  }

  /// What the system reports of an object's files now; nil where a part of it is not there.
  package func fingerprint(of artifact: Artifact) throws -> Fingerprint? {
    let path = objectPath(artifact)
    var paths = [path, path + ".sha256"]
    if artifact.kind == TreeFormat.name, !artifact.isExternal {
      let manifest = path + "/" + TreeFormat.manifestName
      paths.append(manifest)
      guard Files.exists(manifest) else { return nil }
      guard let tree = TreeManifest(bytes: try Files.read(manifest)) else { return nil }
      let files = path + "/" + TreeFormat.filesName
      paths += [files] + (tree.folders + tree.entries.map(\.path)).map { files + "/" + $0 }
    }
    var statuses = [Files.Status]()
    statuses.reserveCapacity(paths.count)
    for path in paths {
      guard let status = try Files.linkStatus(path) else { return nil }
      statuses.append(status)
    }
    return Fingerprint(statuses)
  }

  /// What is wrong with the bytes of an object; nil where they are those that were written.
  /// - Parameter keepGoing: asked now and then while a large file is hashed; false ends that with `StageInterrupted`.
  package func damage(of artifact: Artifact, while keepGoing: () -> Bool = { true }) throws -> String? {
    let path = objectPath(artifact)
    guard let status = try Files.optionalStatus(path) else { return "missing" }
    guard Files.exists(path + ".sha256") else { return "the file with its SHA-256 is missing" }
    guard !Files.isLink(path), !Files.isLink(path + ".sha256") else { return "a link, not what was stored" }
    let isTree = artifact.kind == TreeFormat.name && !artifact.isExternal
    guard status.isFolder == isTree else { return isTree ? "not a folder" : "not a file" }
    let file = isTree ? path + "/" + TreeFormat.manifestName : path
    guard !isTree || Files.exists(file) else { return "its manifest is missing" }
    // A pipe or a folder in the place of a file is damage like any other, and can be repaired like it.
    guard try Files.type(path + ".sha256") == .file else { return "what should hold its SHA-256 is no file" }
    if !isTree, !status.isRegular { return "not a file" }
    if isTree {
      guard try Files.type(file) == .file else { return "its manifest is no file" }
      guard try Files.status(file).size <= Files.readLimit else { return "its manifest is too large to be one" }
      let folder = try Files.type(path + "/" + TreeFormat.filesName)
      guard folder == .folder || folder == .link else { return "what should hold its files is no folder" }
    }
    let written = try Files.read(path + ".sha256", limit: 1024)
    let found = try Files.sha256(file, while: keepGoing)
    if written != Array("\(found.hex)\n".utf8) {
      return Digest(hex: String(decoding: written.dropLast(), as: UTF8.self)) == nil
        ? "the file with its SHA-256 is damaged" : "its bytes changed (SHA-256 is now \(found.short)...)"
    }
    // These are named by SHA-256 of their bytes, so a checksum that was changed together with them does not help.
    if artifact.kind == FileFormat.name || artifact.kind == TreeFormat.name, found != artifact.digest {
      return "its bytes are those of another object, \(found.short)"
    }
    guard isTree else { return nil }
    guard !Files.isLink(file), !Files.isLink(path + "/" + TreeFormat.filesName) else {
      return "a link, not what was stored"
    }
    guard let manifest = TreeManifest(bytes: try Files.read(file)) else { return "its manifest is not readable" }
    return try damage(ofTree: path + "/" + TreeFormat.filesName, to: manifest)
  }

  /// As `damage`, and where it is cheap whether the content has the digest that names the object.
  package func damageOfContent(_ artifact: Artifact, while keepGoing: () -> Bool = { true }) throws -> String? {
    if let damage = try damage(of: artifact, while: keepGoing) { return damage }
    // The content of tensors is not looked at: libhdf5 opens them only where it must.
    guard JSONFormat.kinds.contains(artifact.kind) else { return nil }
    let digest = try JSONFormat().digest(ofFileAt: objectPath(artifact))
    return digest == artifact.digest ? nil : "its content has the digest \(digest.short)"
  }

  private func damage(ofTree files: String, to manifest: TreeManifest) throws -> String? {
    // Sizes first: whatever grew without end need not be hashed to be found.
    for entry in manifest.entries {
      guard let status = try Files.linkStatus("\(files)/\(entry.path)") else { continue }
      if status.size != entry.size {
        return "its files changed: \(entry.path) was \(entry.size) bytes, is \(status.size) bytes"
      }
    }
    let actual: TreeManifest
    do {
      actual = try TreeManifest(ofFolder: files)
    } catch let error as PipelineError where error.code == .badArtifact {
      return error.message
    }
    if let difference = manifest.differences(to: actual, limit: 1).first {
      return "its files changed: \(difference.place) was \(difference.first), is \(difference.second)"
    }
    return try Files.emptyFolders(below: files).first.map { "a folder was added: \($0)" }
  }

  /// The value of an artifact that holds JSON, verified: what is returned has the artifact's digest.
  package func value(of artifact: Artifact) throws -> CanonicalValue {
    try verify(artifact)
    let value = try JSONFormat.read(objectPath(artifact))
    guard value.digest == artifact.digest else {
      throw PipelineError(
        .damaged,
        "\(objectPath(artifact)): its content is not the one it is named by (\(value.digest.short)). "
          + "Delete it and run again: the stage that made it is executed again")
    }
    return value
  }
}
