import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// An execution rebuilt from its record alone, without the pipeline that asked for it.
struct Restoration {
  let record: Record
  let stage: RestoredStage
  let instance: Instance
  private let store: Store

  /// - Throws: code `notRestorable` where this program would do something else than the record says.
  init(_ record: Record, in store: Store, host: StageHost) throws {
    self.record = record
    self.store = store
    let identity = record.identity
    let place = record.environment["environment"].flatMap(EnvironmentDescription.init(canonical:))
    stage = try RestoredStage(identity, stage: record.stage, environment: place, in: store, host: host) { why in
      PipelineError(
        .notRestorable,
        "record \(record.key.short) of '\(record.stage)' can't be executed: \(why)")
    }
    instance = Instance(
      stage: 0, round: 0, slot: 0, name: record.stage, identity: identity, key: record.key,
      inputs: Restoration.inputs(of: identity, kind: stage.node.kind, in: store),
      element: try Restoration.element(of: record, in: store),
      observed: stage.node.kind.isSource ? record.outputs : nil)
  }

  /// The order to execute it once more.
  func order(
    purpose: WorkOrder.Purpose, trees: [Digest: SourceTree], run: String, _ options: RunOptions
  ) -> WorkOrder {
    var node = stage.node
    node.rules = record.environment["rules"].map(ExecutionRules.init(canonical:)) ?? ExecutionRules()
    var allowance = options.allowance
    // Whoever wrote the record may not lift the sandbox.
    allowance.sandbox = options.sandbox(of: node)
    return WorkOrder(
      instance, of: record.pipeline, trees: trees, run: run, allowance: allowance, purpose: purpose,
      place: node.environment, rules: node.rules, environment: options.environment)
  }

  private static func inputs(of identity: StageIdentity, kind: StageKind, in store: Store) -> [String: [Artifact]] {
    var inputs = [String: [Artifact]]()
    for port in kind.inputs {
      let digests =
        switch identity.inputs[port.name] {
        case nil: [Digest]()
        case .single(let digest): [digest]
        case .list(let digests): digests
        }
      guard identity.inputs[port.name] != nil else { continue }
      inputs[port.name] = digests.map { digest in
        // A record says what an input holds, not whether its files lie in the store or in a source's folder.
        let external = Artifact(kind: port.kind, digest: digest, isExternal: true)
        let stored = Artifact(kind: port.kind, digest: digest)
        return port.kind == TreeFormat.name && store.hasObject(external) && !store.hasObject(stored) ? external : stored
      }
    }
    return inputs
  }

  /// The value of the element, taken from its array where that is there.
  private static func element(of record: Record, in store: Store) throws -> Instance.Element? {
    guard let origin = record.elements.values.first else { return nil }
    let ports = record.elements.keys.sorted()
    guard case .single(let digest)? = record.identity.inputs[ports[0]] else { return nil }
    let value = try ElementLookup(store: store).element(digest, origin)
    return Instance.Element(value: value, ports: ports, origin: origin)
  }
}
