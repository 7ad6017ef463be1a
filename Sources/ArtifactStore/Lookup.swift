import Determinism
import PipelineModel

/// Resolves IDs from the command line.
public struct Lookup {
  public enum Match: Sendable {
    case artifact(Artifact)
    case record(key: Digest)
  }

  public let store: Store

  public init(store: Store) { self.store = store }

  /// Finds what a shortened ID means, among artifacts and keys, or a name: `train.weights` is the newest output of that
  /// stage, `train` its newest record.
  /// - Throws: code `unknownID` where nothing or more than one thing begins so.
  public func find(_ id: String) throws -> Match {
    if let named = try named(id) { return named }
    guard (4...64).contains(id.utf8.count), id.utf8.allSatisfy(Lookup.isHexadecimal) else {
      let names = Set(store.index.allEntries.map(\.stage))
      let stage = String(id.prefix { $0 != "." })
      let instances = names.filter { StageAddress.stage(ofInstance: $0) == stage }.sorted()
      if let first = instances.first {
        throw PipelineError(
          .unknownID,
          "'\(stage)' has \(instances.count) instances; name one, such as '\(first)\(id.dropFirst(stage.count))'")
      }
      let hint = Suggestion.text(for: String(id.prefix { $0 != "." }), among: names.sorted())
      throw PipelineError(
        .unknownID, "'\(id)': neither 4 to 64 hexadecimal digits, nor 'stage' or 'stage.output' of a record\(hint)")
    }
    let id = id.lowercased()
    let keys = try store.recordKeys().filter { $0.hex.hasPrefix(id) }
    let artifacts = try artifacts(id)
    // Equal content may be there as artifacts of several kinds.
    guard keys.count + Set(artifacts.map(\.digest)).count <= 1 else {
      let names = (keys.map { "\($0.short) (record)" } + artifacts.map { "\($0.digest.short) (\($0.kind))" })
      throw PipelineError(
        .unknownID, "'\(id)' begins several IDs; give more digits: \(names.prefix(8).joined(separator: ", "))")
    }
    if let key = keys.first { return .record(key: key) }
    if let artifact = artifacts.first { return .artifact(artifact) }
    throw PipelineError(.unknownID, "no artifact and no record in \(store.path) has an ID that begins with '\(id)'")
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte & ~0x20)
  }

  private func named(_ name: String) throws -> Match? {
    try store.completeIndex()
    let entries = store.index.allEntries.reversed()
    if let entry = entries.first(where: { $0.stage == name }) { return .record(key: entry.key) }
    if let entry = try instance(name, entries) { return .record(key: entry.key) }
    guard let dot = name.lastIndex(of: ".") else { return nil }
    let (stage, output) = (String(name[..<dot]), String(name[name.index(after: dot)...]))
    guard let entry = try entries.first(where: { $0.stage == stage }) ?? instance(stage, entries) else { return nil }
    guard let artifact = entry.outputs[output] else {
      let hint = Suggestion.text(for: output, among: Array(entry.outputs.keys))
      throw PipelineError(.unknownID, "'\(name)': stage '\(stage)' has no output '\(output)'\(hint)")
    }
    return .artifact(artifact)
  }

  /// The newest record of an instance that has certain values: `train[seed=2]`.
  private func instance(_ name: String, _ entries: some Sequence<StoreIndex.Entry>) throws -> StoreIndex.Entry? {
    let address = StageAddress(name)
    guard !address.conditions.isEmpty else { return nil }
    var names = [String]()
    for entry in entries where address.matches(instance: entry.stage) && !names.contains(entry.stage) {
      names.append(entry.stage)
    }
    guard names.count <= 1 else {
      throw PipelineError(
        .unknownID,
        "'\(name)' is \(names.count) instances; name one: \(names.sortedByBytes().prefix(6).joined(separator: ", "))")
    }
    return entries.first { $0.stage == names.first }
  }

  package func artifacts(_ id: String) throws -> [Artifact] {
    let kinds = Dictionary(
      store.registry.formats.values.map { (type(of: $0).fileExtension, type(of: $0).name) },
      uniquingKeysWith: { a, _ in a })
    let folder = String(id.prefix(2))
    return try Files.list("\(store.path)/objects/\(folder)").compactMap { name in
      let parts = name.splitBytes(at: UInt8(ascii: "."))
      guard parts.count == 2, (folder + parts[0]).hasPrefix(id), let digest = Digest(hex: folder + parts[0]),
        let kind = parts[1] == "manifest" ? TreeFormat.name : kinds[parts[1]]
      else { return nil }
      return Artifact(kind: kind, digest: digest, isExternal: parts[1] == "manifest")
    }
  }

  /// Keys of the records that an ID stands for: the record itself, or those that made the artifact.
  /// - Throws: where nothing says what made it.
  public func recordKeys(of match: Match) throws -> [Digest] {
    switch match {
    case .record(let key): return [key]
    case .artifact(let artifact):
      let keys = try records().filter { $0.outputs.values.contains { $0.digest == artifact.digest } }.map(\.key)
      guard !keys.isEmpty else {
        throw PipelineError(.unknownID, "no record says what made \(artifact.digest.short)")
      }
      return keys
    }
  }

  /// Lines that tell what an artifact holds and which records made it and read it.
  public func describe(_ artifact: Artifact) throws -> [String] {
    var lines = [
      "artifact \(artifact.digest.hex)", "kind     \(artifact.kind)", "path     \(store.objectPath(artifact))",
    ]
    var readers = [String]()
    for record in try records() {
      for (name, output) in record.outputs.sorted(by: { $0.key < $1.key }) where output.digest == artifact.digest {
        lines.append("made by  output '\(name)' of stage '\(record.stage)', record \(record.key.short)")
      }
      for (name, input) in record.identity.inputs.sorted(by: { $0.key < $1.key }) {
        let isRead =
          switch input {
          case .single(let digest): digest == artifact.digest
          case .list(let digests): digests.contains(artifact.digest)
          }
        if isRead { readers.append("read by  input '\(name)' of stage '\(record.stage)', record \(record.key.short)") }
      }
    }
    lines += readers.prefix(10) + (readers.count > 10 ? ["... and by \(readers.count - 10) more"] : [])
    try store.verify(artifact)
    let summary =
      artifact.isExternal
      ? try TreeFormat().summary(ofFileAt: store.objectPath(artifact))
      : try store.registry.format(artifact.kind).summary(ofFileAt: store.objectPath(artifact))
    return lines + [""] + summary
  }

  /// The content of a record, verified.
  public func recordContent(_ key: Digest) throws -> CanonicalValue { try store.record(key).canonical }

  /// Where an artifact lies.
  public func path(of artifact: Artifact) -> String { store.objectPath(artifact) }

  /// Sound records, in the order of their keys.
  package func records() throws -> [Record] { try store.recordKeys().compactMap { try? store.record($0) } }
}

extension Store {
  /// The value of a `json`, `metrics` or `history` artifact, verified.
  public func json(of artifact: Artifact) throws -> CanonicalValue {
    precondition(JSONFormat.kinds.contains(artifact.kind), "json(of:): the artifact is of kind \(artifact.kind)")
    return try value(of: artifact)
  }
}
