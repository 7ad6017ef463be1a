import ArtifactStore
import Determinism
import PipelineModel

/// A record for people: what ran, when, from what, with which parameters, and what came out.
public struct RecordDescription: Sendable {
  public struct Port: Sendable {
    public let name: String
    public let kind: String
    public let digest: Digest
    /// `coco.search-train`, or how many artifacts of what; empty where nothing says so.
    public let origin: String
    /// In the store; nil of inputs.
    public let bytes: Int?
  }

  public let key: Digest
  public let stage: String
  public let kind: String
  public let version: Int
  public let pipeline: String
  public let run: String
  public let started: String
  public let seconds: Double
  public let seed: UInt64?
  public let inputs: [Port]
  public let outputs: [Port]
  /// As pipeline files spell them, and whether each is the default of the kind.
  public let parameters: [(name: String, value: String, isDefault: Bool)]
  public let traits: [(name: String, value: String)]
  public let environment: [(name: String, value: String)]
  /// Steps of which digests of tensors were noted.
  public let tracedSteps: Int

  public init(_ key: Digest, in store: Store) throws {
    let record = try store.record(key)
    try store.completeIndex()
    var makers = [Digest: String]()
    var kinds = [Digest: String]()
    for entry in store.index.allEntries {
      for (name, artifact) in entry.outputs.sorted(by: { $0.key > $1.key }) {
        makers[artifact.digest] = "\(entry.stage).\(name)"
        kinds[artifact.digest] = artifact.kind
      }
    }
    self.key = key
    (stage, kind, version) = (record.stage, record.identity.kind, record.identity.version)
    (pipeline, run, started, seconds) = (record.pipeline, record.run, record.started, record.seconds)
    seed = record.identity.seed
    inputs = record.identity.inputs.sorted { $0.key.precedesInBytes($1.key) }.map { name, input in
      switch input {
      case .single(let digest):
        let element = record.elements[name].map { "element \($0.index) of \(makers[$0.array] ?? $0.array.short)" }
        return Port(
          name: name, kind: kinds[digest] ?? record.elements[name]?.kind ?? "", digest: digest,
          origin: element ?? makers[digest] ?? "", bytes: nil)
      case .list(let digests):
        let first = digests.first.flatMap { makers[$0] }
        return Port(
          name: name, kind: digests.first.flatMap { kinds[$0] } ?? "",
          digest: Digest(of: digests.map(\.hex).joined()),
          origin: "\(digests.count) artifacts" + (first.map { ", the first \($0)" } ?? ""), bytes: nil)
      }
    }
    outputs = record.outputs.sorted { $0.key.precedesInBytes($1.key) }.map { name, artifact in
      Port(name: name, kind: artifact.kind, digest: artifact.digest, origin: "", bytes: record.sizes[name])
    }
    let defaults = RecordDescription.flat(store.registry.kinds[record.identity.kind]?.defaults ?? .object([:]))
    let known = Dictionary(defaults, uniquingKeysWith: { a, _ in a })
    parameters = RecordDescription.flat(record.identity.parameters).map { name, value in
      (name, value, known[name].map { $0.hasSameBytes(as: value) } ?? false)
    }
    traits = record.identity.traits.sorted { $0.key.precedesInBytes($1.key) }.map {
      ($0.key, Digest(hex: $0.value)?.short ?? $0.value)
    }
    environment = (record.environment.objectValue ?? [:]).sorted { $0.key.precedesInBytes($1.key) }.map {
      ($0.key, $0.value.stringValue ?? $0.value.canonicalText)
    }
    tracedSteps = record.trace.steps.count
  }

  private static func flat(_ value: CanonicalValue, _ path: String = "") -> [(String, String)] {
    guard let members = value.objectValue, !members.isEmpty else {
      return path.isEmpty ? [] : [(path, value.stringValue ?? value.canonicalText)]
    }
    return members.keys.sortedByBytes().flatMap { name in
      let inner = ParameterNames.fileSpelling(of: name)
      return flat(members[name]!, path.isEmpty ? inner : "\(path).\(inner)")
    }
  }
}
