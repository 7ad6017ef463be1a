import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// The folders of sources that executions from records read, found by what their trees held then.
final class SourceTrees {
  private let store: Store
  private let variables: [String: String]
  private let interruption: Interruption
  private var known: [Digest: SourceTree] = [:]
  private var observed: Set<Digest> = []
  let host: StageHost

  /// - Parameter policy: of who is going to execute commands.
  init(store: Store, variables: [String: String], interruption: Interruption, policy: SandboxPolicy) {
    self.store = store
    self.variables = variables
    self.interruption = interruption
    host = store.host(searchPath: variables["PATH"], policy: policy)
  }

  /// The folders of all external inputs of an instance, and of a source itself.
  /// - Throws: code `missingSource` where a folder is not there, or holds other files now.
  func trees(for restoration: Restoration) throws -> [Digest: SourceTree] {
    let instance = restoration.instance
    if let outputs = instance.observed {
      try observe(restoration)
      for artifact in outputs.values.sorted() { try require(artifact.digest, of: restoration.record.stage) }
    }
    for artifact in instance.inputs.values.joined().sorted() where artifact.isExternal {
      if known[artifact.digest] == nil { try find(artifact.digest) }
      try require(artifact.digest, of: instance.name)
    }
    return known
  }

  private func require(_ digest: Digest, of stage: String) throws {
    guard known[digest] == nil else { return }
    throw PipelineError(
      .missingSource,
      "'\(stage)' needs the files of a source as they were (tree \(digest.short)); they changed, or another folder is set"
    )
  }

  /// Looks at every source that once held a tree.
  private func find(_ digest: Digest) throws {
    try store.completeIndex()
    for key in try store.recordKeys() {
      guard let entry = store.index.entry(key), entry.outputs.values.contains(where: { $0.digest == digest }),
        let record = try? store.record(key), let restoration = try? Restoration(record, in: store, host: host)
      else { continue }
      try observe(restoration)
      if known[digest] != nil { return }
    }
  }

  private func observe(_ restoration: Restoration) throws {
    guard case .source(let folder) = restoration.stage.node.prepared.body,
      observed.insert(restoration.instance.key).inserted
    else { return }
    let scanner = SourceScanner(store: store, variables: variables, interruption: interruption) { _, _, _ in }
    let observation = try scanner.observe(restoration.stage.node, folder)
    known.merge(SourceTree.trees(of: [0: observation])) { a, _ in a }
  }
}
