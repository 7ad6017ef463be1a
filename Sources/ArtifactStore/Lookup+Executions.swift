import Determinism
import PipelineModel

/// What a record says of one execution, for whoever uses its artifacts.
public struct ExecutionSummary: Sendable {
  public let key: Digest
  /// Its name in the pipeline, and its kind.
  public let stage: String
  public let kind: String
  /// The complete set.
  public let parameters: CanonicalValue
  /// Contents of single inputs, by port.
  public let inputs: [String: Digest]
  public let outputs: [String: Artifact]

  init(_ record: Record) {
    key = record.key
    stage = record.stage
    kind = record.identity.kind
    parameters = record.identity.parameters
    inputs = record.identity.inputs.compactMapValues { if case .single(let digest) = $0 { digest } else { nil } }
    outputs = record.outputs
  }
}

extension Lookup {
  /// The execution of a record, verified.
  public func execution(_ key: Digest) throws -> ExecutionSummary { ExecutionSummary(try store.record(key)) }

  /// Executions of certain kinds, the newest first.
  ///
  /// - Parameter artifact: that they made or read; nil means any.
  public func executions(ofKinds kinds: Set<String>, around artifact: Digest? = nil) throws -> [ExecutionSummary] {
    try records().filter { record in
      guard kinds.contains(record.identity.kind) else { return false }
      guard let artifact else { return true }
      return record.outputs.values.contains { $0.digest == artifact }
        || record.identity.inputs.values.contains { $0 == .single(artifact) }
    }
    .sorted { ($1.started, $0.key) < ($0.started, $1.key) }
    .map(ExecutionSummary.init)
  }

  /// Where an artifact of that content lies, verified; of a tree the folder with its files. Nil where only the
  /// manifest is in the store, and the files are on the user's disk.
  /// - Throws: code `unknownID` where the store has none.
  public func verifiedPath(of digest: Digest) throws -> String? {
    guard let artifact = try artifacts(digest.hex).first else {
      throw PipelineError(.unknownID, "\(store.path): the artifact \(digest.short) is no longer in the store")
    }
    if artifact.isExternal { return nil }
    try store.verify(artifact)
    let path = store.objectPath(artifact)
    return artifact.kind == TreeFormat.name ? path + "/" + TreeFormat.filesName : path
  }

  /// The value of a `json` artifact, verified.
  public func verifiedValue(of digest: Digest) throws -> CanonicalValue {
    guard let artifact = try artifacts(digest.hex).first(where: { JSONFormat.kinds.contains($0.kind) }) else {
      throw PipelineError(.badArtifact, "\(store.path): \(digest.short) is no value there")
    }
    return try store.value(of: artifact)
  }
}
