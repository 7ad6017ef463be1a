import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// An execution rebuilt from its record alone, without the pipeline that asked for it.
struct Restoration {
  let record: Record
  let node: Pipeline.StageNode
  let instance: Instance

  /// - Throws: code `notRestorable` where this program would do something else than the record says.
  init(_ record: Record, in store: Store, host: StageHost) throws {
    self.record = record
    let identity = record.identity
    func impossible(_ why: String) -> PipelineError {
      PipelineError(
        .notRestorable,
        "record \(record.key.short) of '\(record.stage)' can't be executed: \(why). The program that made it can")
    }
    guard var kind = store.registry.kinds[identity.kind] else {
      throw impossible("this program has no stage kind '\(identity.kind)'")
    }
    guard kind.version == identity.version else {
      throw impossible("stage kind '\(kind.name)' is of version \(kind.version) now, not \(identity.version)")
    }
    if let reinstate = kind.reinstate {
      do {
        kind = try reinstate(identity.parameters, store.registry)
      } catch {
        throw impossible("\(error)")
      }
    }
    try Restoration.requireForm(of: identity, kind, impossible)
    for name in kind.traits where store.registry.traits[name] != identity.traits[name] {
      let (now, then) = (store.registry.traits[name] ?? "absent", identity.traits[name] ?? "absent")
      throw impossible("\(name) is \(now) now, not \(then)")
    }
    let prepared: PreparedStage
    do {
      prepared = try kind.restore(identity.parameters)
    } catch {
      throw impossible("its parameters are not those of today's '\(kind.name)': \(error)")
    }
    guard prepared.parameters == identity.parameters else {
      throw impossible("its parameters are not those of today's '\(kind.name)'")
    }
    var paths = [String: Tool]()
    if let tools = try prepared.tools?.identity(on: host, stage: record.stage) {
      for name in Set(tools.traits.keys).union(identity.traits.keys).sorted()
      where tools.traits[name] != identity.traits[name] {
        let (now, then) = (tools.traits[name] ?? "absent", identity.traits[name] ?? "absent")
        throw impossible("\(name) is \(now.prefix(40)) now, not \(then.prefix(40))")
      }
      paths = tools.paths
    }
    node = Pipeline.StageNode(
      name: StageAddress.stage(ofInstance: record.stage), kind: kind, prepared: prepared, seed: identity.seed ?? 0,
      inputs: [:],
      forEach: nil)
    instance = Instance(
      stage: 0, round: 0, slot: 0, name: record.stage, identity: identity, key: record.key,
      inputs: Restoration.inputs(of: identity, kind: kind, in: store),
      element: try Restoration.element(of: record, in: store),
      observed: kind.isSource ? record.outputs : nil, tools: paths)
  }

  /// - Throws: where the record has other inputs than the kind, or a seed that it takes no account of.
  private static func requireForm(
    of identity: StageIdentity, _ kind: StageKind, _ impossible: (String) -> PipelineError
  ) throws {
    guard (identity.seed != nil) == kind.isRandom else {
      throw impossible(kind.isRandom ? "it has no seed" : "it has a seed, and '\(kind.name)' draws no random numbers")
    }
    guard kind.isSource == !identity.observed.isEmpty else {
      throw impossible("what it says to have observed is no source's")
    }
    for name in identity.inputs.keys.sorted() where !kind.inputs.contains(where: { $0.name.hasSameBytes(as: name) }) {
      throw impossible("'\(kind.name)' has no input '\(name)'")
    }
    for port in kind.inputs {
      switch identity.inputs[port.name] {
      case nil where !port.isOptional: throw impossible("its input '\(port.name)' is missing")
      case .single where port.isList, .list where !port.isList:
        throw impossible("its input '\(port.name)' is \(port.isList ? "one artifact" : "a list of artifacts")")
      default: break
      }
    }
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
