import ArtifactStore
import Determinism
import PipelineModel

/// Copies artifacts out of a store, verified, under names that people recognise.
public struct ArtifactCopy {
  private let store: Store

  public init(store: Store) { self.store = store }

  /// An artifact and the name that its copy gets.
  struct Item {
    let artifact: Artifact
    let name: String
  }

  /// - Parameters:
  ///   - match: an artifact, or a record, of which all outputs are copied: one as such, several into a folder.
  ///   - id: as the user named it.
  ///   - target: a new path, or a folder to copy into, which ends with a slash or is there; nil means the working folder.
  ///   - replaces: whether what is there under that name is replaced.
  /// - Returns: the path of the copy.
  /// - Throws: code `badReference` where something is there that may not be replaced; `missingSource` for a tree that is
  ///   not in the store.
  public func copy(_ match: Lookup.Match, id: String, to target: String?, replaces: Bool) throws -> String {
    let (name, items) = try items(match, id: id)
    let path = try ArtifactCopy.place(name, in: target)
    if let type = try Files.type(path) {
      guard replaces else {
        throw PipelineError(.badReference, "\(path) exists; --force replaces it, -o names another place")
      }
      guard type == .file || type == .folder || type == .link else {
        throw PipelineError(.badReference, "\(path) is neither a file nor a folder")
      }
    }
    let folder = Checkout.folder(ofFile: path)
    try Files.makeFolder(folder)
    let draft = "\(folder)/.\(RelativePath.name(path)).\(UInt64.random(in: 0 ... .max).hexadecimal.prefix(8))"
    do {
      if case .artifact = match {
        try write(items[0].artifact, to: draft)
      } else if items.count == 1 {
        try write(items[0].artifact, to: draft)
      } else {
        try Files.makeFolder(draft)
        for item in items { try write(item.artifact, to: "\(draft)/\(item.name)") }
      }
      try publish(draft, at: path, replaces: replaces)
    } catch {
      try? Files.remove(draft)
      throw error
    }
    return path
  }

  private func publish(_ draft: String, at path: String, replaces: Bool) throws {
    if try Files.renameIfFree(draft, to: path) { return }
    guard replaces else { throw PipelineError(.badReference, "\(path) exists by now; --force replaces it") }
    try Files.exchange(draft, path)
    try Files.remove(draft)
  }

  private static func place(_ name: String, in target: String?) throws -> String {
    guard let target else { return Files.absolute(name) }
    let isFolder = target.utf8.last == UInt8(ascii: "/")
    if try isFolder || Files.optionalStatus(target)?.isFolder == true { return Files.absolute(target) + "/" + name }
    return Files.absolute(target)
  }

  /// What is copied, and the name of the whole.
  private func items(_ match: Lookup.Match, id: String) throws -> (name: String, items: [Item]) {
    try store.completeIndex()
    switch match {
    case .record(let key):
      let record = try store.record(key)
      let items = record.outputs.sorted { $0.key.precedesInBytes($1.key) }.map { output, artifact in
        Item(artifact: artifact, name: output + ArtifactCopy.ending(of: artifact, output, record, store))
      }
      let stage = ArtifactCopy.plain(record.stage)
      return (items.count == 1 ? "\(stage).\(items[0].name)" : stage, items)
    case .artifact(let artifact):
      let entries = store.index.allEntries.reversed()
      // The stage that the user named, else the newest that made it.
      let maker =
        entries.first { id.startsWithBytes(of: "\($0.stage).") && $0.outputs.values.contains(artifact) }
        ?? entries.first { $0.outputs.values.contains(artifact) }
      guard let maker, let output = maker.outputs.filter({ $0.value == artifact }).keys.sortedByBytes().first,
        let record = try? store.record(maker.key)
      else {
        let format = store.registry.formats[artifact.kind]
        let ending = format.map { type(of: $0).outsideExtension } ?? artifact.kind
        return (
          artifact.digest.short + (artifact.kind == TreeFormat.name ? "" : ".\(ending)"),
          [Item(artifact: artifact, name: "")]
        )
      }
      let name = "\(ArtifactCopy.plain(record.stage)).\(output)"
      return (
        name + ArtifactCopy.ending(of: artifact, output, record, store), [Item(artifact: artifact, name: output)]
      )
    }
  }

  /// `judge-2-3` of `judge[2,3]`, `train-seed=2-rate=0.1` of `train[seed=2,rate=0.1]`.
  private static func plain(_ stage: String) -> String {
    String(
      String.UnicodeScalarView(
        stage.unicodeScalars.filter { $0 != "]" }.map { scalar in
          scalar.isASCII
            && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
              || "_=.+".unicodeScalars.contains(scalar))
            ? scalar : "-"
        }))
  }

  /// The ending of the copy's name, with its dot: of a file that a command declared, the one that it has there.
  private static func ending(of artifact: Artifact, _ output: String, _ record: Record, _ store: Store) -> String {
    if artifact.kind == TreeFormat.name { return "" }
    if artifact.kind == FileFormat.name {
      let declared = record.identity.parameters["outputs"]?[output]
      guard let path = declared?.stringValue ?? declared?["path"]?.stringValue else { return "" }
      let name = RelativePath.name(path)
      guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else { return "" }
      return String(name[dot...])
    }
    return store.registry.formats[artifact.kind].map { ".\(type(of: $0).outsideExtension)" } ?? ""
  }

  private func write(_ artifact: Artifact, to path: String) throws {
    if artifact.isExternal {
      throw PipelineError(
        .missingSource,
        "\(artifact.digest.short) is data on the user's disk: the store has its manifest and no copy of its files")
    }
    try store.verify(artifact)
    let object = store.objectPath(artifact)
    guard artifact.kind == TreeFormat.name else {
      try Files.copy(object, to: path, expecting: store.checksum(of: artifact))
      return try Files.makeWritable(path)
    }
    try Files.makeFolder(path)
    for entry in try TreeFormat.manifest(of: object).entries {
      let file = "\(path)/\(entry.path)"
      try Files.makeFolder(Checkout.folder(ofFile: file))
      try Files.copy("\(object)/\(TreeFormat.filesName)/\(entry.path)", to: file, expecting: entry.sha256)
      try Files.makeWritable(file)
    }
  }
}
