import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// Writes parts of a store as bundles. Equal content gives an equal file.
public struct Exporter {
  let store: Store
  let interruption: Interruption

  public init(store: Store, interruption: Interruption = Interruption()) {
    (self.store, self.interruption) = (store, interruption)
  }

  public struct Summary: Sendable {
    public let records: Int
    public let objects: Int
    public let bytes: Int
  }

  /// The files of a pipeline and how it is run.
  public struct PipelineSource: Sendable {
    public var name: String
    public var text: [UInt8]
    /// Files it is based on, by their paths from its folder.
    public var bases: [String: [UInt8]]
    public var arguments: [String]

    /// - Parameters:
    ///   - name: of the file.
    ///   - arguments: what `run` needs to be told beside it: profile, seed, settings.
    public init(name: String, text: [UInt8], bases: [String: [UInt8]] = [:], arguments: [String]) {
      self.name = name
      self.text = text
      self.bases = bases
      self.arguments = arguments
    }
  }

  /// Everything that a pipeline depends on.
  /// - Throws: code `notUpToDate` where a stage has no result.
  public func export(_ planner: Planner, source: PipelineSource, to path: String) throws -> Summary {
    try Exporter.requireNew(path)
    let plan = try planner.plan()
    guard let root = plan.root else {
      let stage = plan.stages.first { $0.state != .cached }?.name ?? ""
      throw PipelineError(.notUpToDate, "stage '\(stage)' has no result to export; run the pipeline first")
    }
    let records = try records(behind: Set(plan.stages.flatMap { $0.instances.map(\.key) }))
    var extra = [(name: String, bytes: [UInt8]?, file: String, entry: TreeManifest.Entry)]()
    for node in planner.pipeline.stages {
      guard case .source(let folder) = node.prepared.body, folder.isCopied, case .folder(let place) = folder.root,
        let artifact = plan.stages.first(where: { $0.name == node.name })?.instances.first?.outputs.values.first
      else { continue }
      let below = Checkout.folder(ofFile: planner.pipeline.file)
      let prefix = place == below ? "" : String(place.dropFirst(below == "/" ? 1 : below.count + 1)) + "/"
      if artifact.kind == FileFormat.name {
        let object = store.objectPath(artifact)
        let name = folder.contents(node.kind.outputs[0].name)[0]
        let entry = TreeManifest.Entry(path: name, size: try Files.status(object).size, sha256: artifact.digest)
        extra.append(("pipeline/\(prefix)\(name)", nil, object, entry))
        continue
      }
      let tree = store.objectPath(artifact)
      for entry in try TreeFormat.manifest(of: tree).entries {
        extra.append(
          ("pipeline/\(prefix)\(entry.path)", nil, "\(tree)/\(TreeFormat.filesName)/\(entry.path)", entry))
      }
    }
    let description: CanonicalValue = [
      "format": 1, "pipeline": .string(plan.pipeline), "root": .string(root.hex),
      "file": .string("pipeline/\(source.name)"), "arguments": .array(source.arguments.map { .string($0) }),
    ]
    return try write(
      to: path, records: records, description: description,
      readme: Exporter.readme(
        "All artifacts of the pipeline `\(plan.pipeline)`, with the records of what made them.",
        [
          "The root, the digest over all artifacts, is `\(root.hex)`.", "",
          "The pipeline is run again, and finds everything done, by:", "",
          "    autopanoptic run pipeline/\(source.name) \((source.arguments + ["--store", "."]).map(\.quotedForShell).joined(separator: " "))",
        ])
    ) { tar in
      try tar.add("pipeline/\(source.name)", source.text)
      var written: Set<String> = ["pipeline/\(source.name)"]
      for (name, text) in source.bases.sorted(by: { $0.key < $1.key })
      where written.insert("pipeline/\(name)").inserted {
        try tar.add("pipeline/\(name)", text)
      }
      for item in extra.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) })
      where written.insert(item.name).inserted {
        try tar.add(item.name, file: item.file, sha256: item.entry.sha256, executable: item.entry.isExecutable)
      }
    }
  }

  /// A bundle goes to a new file: nothing is replaced, and no pipe or device waited for.
  private static func requireNew(_ path: String) throws {
    guard try Files.linkStatus(path) != nil else { return }
    throw PipelineError(.badReference, "\(path): the file exists; a bundle is written to a new file")
  }

  /// An artifact or a record with everything it was made from.
  public func export(_ match: Lookup.Match, to path: String) throws -> Summary {
    try Exporter.requireNew(path)
    let key: Digest
    let what: String
    switch match {
    case .record(let found):
      key = found
      what = "The artifacts of the record `\(key.hex)`"
    case .artifact(let artifact):
      // Where several records made the same, the first will do.
      guard let maker = try Lookup(store: store).recordKeys(of: match).min() else {
        throw PipelineError(.unknownID, "no record says what made \(artifact.digest.short); it can't be exported")
      }
      key = maker
      what = "The artifact `\(artifact.digest.hex)` (\(artifact.kind))"
    }
    let records = try records(behind: [key])
    let id: String =
      switch match {
      case .record(let key): key.hex
      case .artifact(let artifact): artifact.digest.hex
      }
    return try write(
      to: path, records: records, description: ["format": 1, "id": .string(id)],
      readme: Exporter.readme("\(what), with all that they were made of and the records of how.", [])
    ) { _ in }
  }

  /// The records with those that made what they read.
  /// - Throws: code `damaged` where one is gone.
  private func records(behind keys: Set<Digest>) throws -> [Digest: Record] {
    var records = [Digest: Record]()
    for key in try store.ancestry(of: keys) { records[key] = try store.record(key) }
    let made = Set(records.values.flatMap { $0.outputs.values.map(\.digest) })
    for (_, record) in records.sorted(by: { $0.key < $1.key }) {
      for (name, digest) in Ancestry.origins(of: record) where !made.contains(digest) {
        throw PipelineError(
          .damaged,
          "no record says what made '\(name)' (\(digest.short)) of stage '\(record.stage)'; 'audit' tells more")
      }
    }
    return records
  }

  private func write(
    to path: String, records: [Digest: Record], description: CanonicalValue, readme: String,
    _ more: (TarWriter) throws -> Void
  ) throws -> Summary {
    // Whoever removes things waits.
    let guarded = try StoreLock.shared(store)
    defer { withExtendedLifetime(guarded) {} }
    let temporary = path + ".part"
    do {
      let tar = try TarWriter(path: temporary)
      try tar.add(StoreBundle.readmeName, Array(readme.utf8))
      try tar.add(StoreBundle.descriptionName, Array(description.prettyText.utf8))
      try tar.add("format", Store.formatMark)
      try more(tar)
      let artifacts = try objects(of: records)
      for artifact in artifacts.sorted(by: { store.objectName($0) < store.objectName($1) }) {
        if interruption.isRequested { throw StageInterrupted() }
        try add(artifact, to: tar)
      }
      for key in records.keys.sorted() {
        try tar.add("records/\(key.hex).json", try Files.read(store.recordPath(key)))
      }
      for digest in Set(records.values.compactMap(\.environmentDigest)).sorted() {
        guard let contents = EnvironmentStore.contents(of: digest, in: store.path) else { continue }
        try tar.add("\(EnvironmentStore.folder)/\(digest.hex).json", contents.canonicalBytes)
      }
      for key in records.keys.sorted() {
        for (name, bytes) in try store.signatureFiles(of: key) { try tar.add("signatures/\(key.hex)/\(name)", bytes) }
      }
      let sums = tar.digests.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      try tar.add(StoreBundle.sumsName, Array(sums.map { "\($0.digest.hex)  \($0.name)\n" }.joined().utf8))
      try tar.finish()
      guard try Files.renameIfFree(temporary, to: path) else {
        throw PipelineError(.io, "\(path): the file exists; a bundle is written to a new file")
      }
      return Summary(records: records.count, objects: artifacts.count, bytes: try Files.status(path).size)
    } catch {
      try? Files.remove(temporary)
      throw error
    }
  }

  /// All that the records made, and the copies of elements that they read.
  private func objects(of records: [Digest: Record]) throws -> Set<Artifact> {
    var artifacts = Set<Artifact>()
    for record in records.values {
      for (name, artifact) in record.outputs {
        guard store.registry.formats[artifact.kind] != nil else {
          throw PipelineError(.badArtifact, "stage '\(record.stage)': unknown kind of artifact '\(artifact.kind)'")
        }
        guard store.hasObject(artifact) else {
          throw PipelineError(
            .damaged, "output '\(name)' of stage '\(record.stage)' (\(artifact.digest.short)) is not in the store")
        }
        artifacts.insert(artifact)
      }
      for (port, origin) in record.elements {
        guard case .single(let digest)? = record.identity.inputs[port], store.registry.formats[origin.kind] != nil
        else { continue }
        let element = Artifact(kind: origin.kind, digest: digest)
        if store.hasObject(element) { artifacts.insert(element) }
      }
    }
    return artifacts
  }

  private func add(_ artifact: Artifact, to tar: TarWriter) throws {
    let name = store.objectName(artifact)
    let path = store.objectPath(artifact)
    let checksum = try store.checksum(of: artifact)
    guard artifact.kind == TreeFormat.name, !artifact.isExternal else {
      try tar.add(name, file: path, sha256: checksum)
      try tar.add(name + ".sha256", Array("\(checksum.hex)\n".utf8))
      return
    }
    for entry in try TreeFormat.manifest(of: path).entries {
      try tar.add(
        "\(name)/\(TreeFormat.filesName)/\(entry.path)", file: "\(path)/\(TreeFormat.filesName)/\(entry.path)",
        sha256: entry.sha256, executable: entry.isExecutable)
    }
    try tar.add("\(name)/\(TreeFormat.manifestName)", file: "\(path)/\(TreeFormat.manifestName)", sha256: checksum)
    try tar.add(name + ".sha256", Array("\(checksum.hex)\n".utf8))
  }

  private static func readme(_ what: String, _ more: [String]) -> String {
    let lines =
      ["# Bundle", "", what] + (more.isEmpty ? [] : [""] + more) + [
        "",
        "This is a store: unpacked, it can be looked at and checked where it is, or taken into another store.", "",
        "    autopanoptic audit --store .                 # every byte, and what made what",
        "    autopanoptic import BUNDLE --store artifacts  # verified first, then taken in",
        "    sha256sum -c SHA256SUMS                      # without any program of ours", "",
        "`objects/` holds the artifacts, named by SHA-256 of their content; `records/` says for each execution which",
        "stage with which parameters made what of what; `signatures/` holds who signed it. Of data sets that lay outside",
        "of the store only the manifests are here.",
      ]
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Store {
  /// An object's path relative to the store.
  func objectName(_ artifact: Artifact) -> String { String(objectPath(artifact).dropFirst(path.utf8.count + 1)) }

  /// Names and contents of the files with the signatures of a record.
  func signatureFiles(of key: Digest) throws -> [(name: String, bytes: [UInt8])] {
    let folder = signatureFolder(key)
    return try Files.list(folder).filter { $0.hasSuffix(".json") && Digest(hex: String($0.dropLast(5))) != nil }.map {
      ($0, try Files.read("\(folder)/\($0)"))
    }
  }
}
