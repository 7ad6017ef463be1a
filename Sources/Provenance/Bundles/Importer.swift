import ArtifactStore
import Determinism
import Foundation
import PipelineModel

/// Imports bundles. Nothing of a bundle is trusted: it is unpacked beside the store, and names, sizes, bytes, content
/// and provenance are verified before anything of it becomes part of the store.
public struct Importer {
  let store: Store
  let foreignDigest: @Sendable (_ kind: String, _ path: String) throws -> Digest
  let interruption: Interruption

  /// - Parameter foreignDigest: computes the digest of a file that somebody else made, whose bytes may be made to
  ///   harm its reader; by default the format itself reads it. Not asked for `json`, `tree` and `file`.
  public init(
    store: Store, interruption: Interruption = Interruption(),
    foreignDigest: (@Sendable (_ kind: String, _ path: String) throws -> Digest)? = nil
  ) {
    self.store = store
    self.interruption = interruption
    self.foreignDigest =
      foreignDigest ?? { [registry = store.registry] in try registry.format($0).digest(ofFileAt: $1) }
  }

  public struct Summary: Sendable {
    /// As the bundle says.
    public let pipeline: String?
    public let root: String?
    /// Of the bundle, and how many of them are new to the store.
    public let records: Int
    public let newRecords: Int
    public let objects: Int
    public let signatures: Int
  }

  private static let mostRecordBytes = 256 << 20
  private static let mostTextBytes = 1 << 20

  private struct Content {
    var scratch: String
    var objects: Set<Artifact> = []
    var records: [Digest: (record: Record, bytes: [UInt8])] = [:]
    var signatures: [(key: Digest, id: String, envelope: Envelope)] = []
    var environments: [CanonicalValue] = []
    var description = CanonicalValue.null
    /// All names, and SHA-256 of the files that nothing else verifies.
    var names: Set<ByteName> = []
    var others: [ByteName: Digest] = [:]
    var sums = ""

    func path(_ artifact: Artifact) -> String {
      "\(scratch)/\(artifact.digest.hex)\(artifact.isExternal ? ".manifest" : "." + artifact.kind)"
    }
  }

  /// - Throws: code `badArtifact` for a bundle that is not valid, `notReproduced` where it contradicts a record of the
  ///   store. Either way the store is as it was.
  public func take(_ path: String) throws -> Summary {
    let guarded = try StoreLock.shared(store)
    defer {
      store.endScratch()
      withExtendedLifetime(guarded) {}
    }
    let scratch = try store.makeScratch()
    defer { try? Files.remove(scratch) }
    let content = try unpack(path, below: scratch)
    do {
      for artifact in content.objects.sorted() {
        if interruption.isRequested { throw StageInterrupted() }
        try verify(artifact, content)
      }
      try verifyRecords(content)
      try verifySums(content)
    } catch let error as PipelineError where error.code != .notReproduced && error.code != .diskFull {
      throw PipelineError(.badArtifact, "\(path): \(error.message)")
    }
    return try publish(content)
  }

  // MARK: Reading

  /// Unpacks a bundle and sorts what is in it.
  private func unpack(_ path: String, below scratch: String) throws -> Content {
    var content = Content(scratch: scratch)
    let tar = try TarReader(path: path)
    let kinds = Dictionary(
      store.registry.formats.values.map { (type(of: $0).fileExtension, type(of: $0).name) },
      uniquingKeysWith: { a, _ in a })
    while let entry = try tar.next() {
      if interruption.isRequested { throw StageInterrupted() }
      content.names.insert(ByteName(entry.name))
      func bad(_ why: String) -> PipelineError { PipelineError(.badArtifact, "\(path): \(why)") }
      func small(_ limit: Int) throws -> [UInt8] {
        guard entry.size <= limit else { throw bad("'\(entry.name)' is larger than \(limit >> 20) MiB") }
        return try tar.contents()
      }
      guard let member = StoreBundle.Member(entry.name, kinds: kinds) else {
        throw bad("'\(entry.name)' is not part of a bundle")
      }
      switch member {
      case .other where entry.name == StoreBundle.sumsName:
        content.sums = String(decoding: try small(Importer.mostRecordBytes), as: UTF8.self)
      case .other: try unpackOther(entry, tar, into: &content)
      case .format:
        guard try small(64) == Store.formatMark else { throw bad("a bundle of another version") }
      case .record(let key):
        let bytes = try small(Importer.mostRecordBytes)
        let record = try Importer.record(bytes, key: key, name: entry.name, bad)
        guard content.records.updateValue((record, bytes), forKey: key) == nil else {
          throw bad("'\(entry.name)' appears twice")
        }
      case .signature(let key, let id):
        guard
          let envelope = (try? CanonicalValue(json: small(Store.mostSignatureBytes))).flatMap(Envelope.init(canonical:))
        else { throw bad("'\(entry.name)' is no signature") }
        content.signatures.append((key, id, envelope))
      case .environment(let digest):
        guard let contents = try? CanonicalValue(json: small(Importer.mostRecordBytes)), contents.digest == digest
        else {
          throw bad("'\(entry.name)' is not what its name says")
        }
        content.environments.append(contents)
      case .object(let artifact, let part): try unpack(part, of: artifact, entry, tar, into: &content)
      }
    }
    return content
  }

  private static func record(
    _ bytes: [UInt8], key: Digest, name: String, _ bad: (String) -> PipelineError
  ) throws -> Record {
    let record: Record
    do {
      record = try Record(fileBytes: bytes, at: name)
    } catch let error as PipelineError {
      throw bad(error.message)
    }
    guard record.key == key else { throw bad("'\(name)' is the record of another key, \(record.key.short)") }
    return record
  }

  private func unpackOther(_ entry: TarReader.Entry, _ tar: TarReader, into content: inout Content) throws {
    let file = "\(content.scratch)/other.\(content.others.count)"
    try tar.extract(to: file)
    content.others[ByteName(entry.name)] = try Files.sha256(file)
    if entry.name == StoreBundle.descriptionName, entry.size <= Importer.mostTextBytes {
      content.description = (try? CanonicalValue(json: Files.read(file))) ?? .null
    }
    try Files.remove(file)
  }

  private func unpack(
    _ part: StoreBundle.Member.Part, of artifact: Artifact, _ entry: TarReader.Entry, _ tar: TarReader,
    into content: inout Content
  ) throws {
    let target = content.path(artifact)
    content.objects.insert(artifact)
    switch part {
    case .file: try tar.extract(to: target)
    case .checksum: try tar.extract(to: target + ".sha256")
    case .manifest:
      try Files.makeFolder("\(target)/\(TreeFormat.filesName)")  // Even of a tree without files.
      try tar.extract(to: "\(target)/\(TreeFormat.manifestName)")
    case .content(let file):
      let place = "\(target)/\(TreeFormat.filesName)/\(file)"
      try Files.makeFolder(Checkout.folder(ofFile: place))
      try tar.extract(to: place)
      if entry.isExecutable { try Files.makeReadOnly(place, executable: true) }
    }
  }

  // MARK: Verifying

  private func verify(_ artifact: Artifact, _ content: Content) throws {
    let path = content.path(artifact)
    func bad(_ why: String) -> PipelineError {
      PipelineError(.badArtifact, "the artifact \(artifact.digest.short) (\(artifact.kind)): \(why)")
    }
    let isTree = artifact.kind == TreeFormat.name && !artifact.isExternal
    let file = isTree ? path + "/" + TreeFormat.manifestName : path
    guard Files.exists(file), Files.exists(path + ".sha256") else { throw bad("a part of it is missing") }
    guard try Files.status(path + ".sha256").size == 65,
      try Files.read(path + ".sha256") == Array("\(Files.sha256(file).hex)\n".utf8)
    else { throw bad("its bytes are not those that its SHA-256 says") }
    let found: Digest
    switch artifact.kind {
    case TreeFormat.name:
      guard try Files.status(file).size <= Importer.mostRecordBytes,
        let manifest = TreeManifest(bytes: try Files.read(file))
      else { throw bad("its manifest is not readable") }
      for entry in manifest.entries {
        if let problem = RelativePath.problem(entry.path) { throw bad("a bad name: \(problem)") }
      }
      if isTree {
        let actual = try TreeManifest(ofFolder: path + "/" + TreeFormat.filesName)
        if let difference = manifest.differences(to: actual, limit: 1).first {
          throw bad("its files are not those of its manifest: \(difference)")
        }
      }
      found = manifest.digest
    case FileFormat.name,
      _ where JSONFormat.kinds.contains(artifact.kind):
      found = try store.registry.format(artifact.kind).digest(ofFileAt: path)
    default: found = try foreignDigest(artifact.kind, path)
    }
    guard found == artifact.digest else { throw bad("its content has the digest \(found.short)") }
  }

  private func verifyRecords(_ content: Content) throws {
    var made = Set(content.records.values.flatMap { $0.record.outputs.values.map(\.digest) })
    var isStoreRead = false
    for (key, item) in content.records.sorted(by: { $0.key < $1.key }) {
      let record = item.record
      func bad(_ why: String) -> PipelineError {
        PipelineError(.badArtifact, "the record \(key.short) of stage '\(record.stage)': \(why)")
      }
      for (name, artifact) in record.outputs.sorted(by: { $0.key < $1.key }) {
        guard store.registry.formats[artifact.kind] != nil else {
          throw bad("its output '\(name)' is of the unknown kind '\(artifact.kind)'")
        }
        guard content.objects.contains(artifact) || store.hasObject(artifact) else {
          throw bad("its output '\(name)' (\(artifact.digest.short)) is missing")
        }
      }
      for (name, origin) in Ancestry.origins(of: record) {
        if !made.contains(origin), !isStoreRead {
          isStoreRead = true
          for other in try store.recordKeys() {
            if let record = try? store.record(other) { made.formUnion(record.outputs.values.map(\.digest)) }
          }
        }
        guard made.contains(origin) else { throw bad("no record says what made its input '\(name)' (\(origin.short))") }
      }
      guard let mine = try store.outputs(of: key) else { continue }
      for (name, artifact) in record.outputs.sorted(by: { $0.key < $1.key }) where mine[name]?.digest != artifact.digest
      {
        throw PipelineError(
          .notReproduced,
          "the bundle says that output '\(name)' of stage '\(record.stage)' is \(artifact.digest.short); the record "
            + "\(key.short) of this store says \(mine[name]?.digest.short ?? "that it has none"). Nothing was imported")
      }
    }
    for signature in content.signatures
    where content.records[signature.key] == nil && !Files.exists(store.recordPath(signature.key)) {
      throw PipelineError(.badArtifact, "a signature of the record \(signature.key.short), which is missing")
    }
  }

  /// The pipeline and the README don't go into the store, but who unpacks the bundle uses them.
  private func verifySums(_ content: Content) throws {
    var sums = [ByteName: String]()
    for line in TextLines.split(content.sums) {
      let parts = line.utf8.split(separator: 0x20, maxSplits: 1).map { String(decoding: $0, as: UTF8.self) }
      if parts.count == 2 {
        sums[ByteName(String(decoding: parts[1].utf8.drop { $0 == 0x20 }, as: UTF8.self))] = parts[0]
      }
    }
    if let missing = sums.keys.filter({ !content.names.contains($0) }).min() {
      throw PipelineError(.badArtifact, "'\(missing)' is missing")
    }
    for (name, digest) in content.others.sorted(by: { $0.key < $1.key }) where sums[name] != digest.hex {
      throw PipelineError(.badArtifact, "'\(name)': its bytes are not those that its SHA-256 says")
    }
  }

  // MARK: Taking in

  private func publish(_ content: Content) throws -> Summary {
    let objects = try content.objects.sorted().map { artifact in
      let path = content.path(artifact)
      let file = artifact.kind == TreeFormat.name && !artifact.isExternal ? path + "/" + TreeFormat.manifestName : path
      let checksum = try Files.sha256(file)
      try Files.remove(path + ".sha256")
      return Store.Written(path: path, artifact: artifact, checksum: checksum, size: try Files.status(file).size)
    }
    let fresh = Ancestry(content.records.mapValues(\.record)).makersFirst
      .filter { !Files.exists(store.recordPath($0)) }.map { content.records[$0]! }
    try store.commit(objects, records: fresh, scratch: content.scratch)
    let named = Set(content.records.values.compactMap(\.record.environmentDigest))
    for contents in content.environments where named.contains(contents.digest) {
      try EnvironmentStore.keep(contents, in: store.path, isObserved: false)
    }
    for signature in content.signatures {
      try store.publish(signature.envelope, for: signature.key, by: signature.id)
    }
    return Summary(
      pipeline: content.description["pipeline"]?.stringValue, root: content.description["root"]?.stringValue,
      records: content.records.count, newRecords: fresh.count, objects: content.objects.count,
      signatures: content.signatures.count)
  }
}
