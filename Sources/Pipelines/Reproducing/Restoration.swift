import Determinism

/// An execution rebuilt from its record alone, without the pipeline that asked for it.
struct Restoration {
  let record: Record
  let node: Pipeline.StageNode
  let instance: Instance

  /// - Throws: code `notRestorable` where this program would do something else than the record says.
  init(_ record: Record, in store: Store, tools: ToolIdentifier) throws {
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
    var toolPaths = [String: Tool]()
    if let command = prepared.command {
      let tools = try tools.identity(of: command, stage: record.stage)
      for name in Set(tools.traits.keys).union(identity.traits.keys).sorted()
      where tools.traits[name] != identity.traits[name] {
        let (now, then) = (tools.traits[name] ?? "absent", identity.traits[name] ?? "absent")
        throw impossible("\(name) is \(now.prefix(40)) now, not \(then.prefix(40))")
      }
      toolPaths = tools.paths
    }
    node = Pipeline.StageNode(
      name: Explainer.base(record.stage), kind: kind, prepared: prepared, seed: identity.seed ?? 0, inputs: [:],
      forEach: nil)
    instance = Instance(
      stage: 0, round: 0, slot: 0, name: record.stage, identity: identity, key: record.key,
      inputs: Restoration.inputs(of: identity, kind: kind, in: store),
      element: try Restoration.element(of: record, in: store),
      observed: kind.isSource ? record.outputs : nil, toolPaths: toolPaths)
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

/// Finds elements: each lies in the store on its own, and in its array or tree.
struct ElementLookup {
  let store: Store

  func element(_ digest: Digest, _ origin: Record.Element) throws -> ElementValue {
    let own = Artifact(kind: JSONFormat.name, digest: digest)
    if origin.kind == JSONFormat.name, store.hasObject(own), try store.damage(of: own) == nil {
      return .json(try JSONFormat.read(store.objectPath(own)))
    }
    let array = store.origin(of: origin)
    let elements = try store.elements(of: array)
    guard elements.indices.contains(origin.index), elements[origin.index].artifact.digest == digest else {
      throw PipelineError(
        .damaged, "\(store.objectPath(array)): its element \(origin.index) is not \(digest.short), as a record says")
    }
    return elements[origin.index]
  }
}

/// The folders of sources that executions from records read, found by what their trees held then.
final class SourceTrees {
  private let store: Store
  private let variables: [String: String]
  private let interruption: Interruption
  private var known: [Digest: Execution.SourceTree] = [:]
  private var observed: Set<Digest> = []
  let tools: ToolIdentifier

  /// - Parameter policy: of who is going to execute commands.
  init(store: Store, variables: [String: String], interruption: Interruption, policy: SandboxPolicy) {
    self.store = store
    self.variables = variables
    self.interruption = interruption
    tools = ToolIdentifier(searchPath: variables["PATH"], store: store, policy: policy)
  }

  /// The folders of all external inputs of an instance, and of a source itself.
  /// - Throws: code `missingSource` where a folder is not there, or holds other files now.
  func trees(for restoration: Restoration) throws -> [Digest: Execution.SourceTree] {
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
        let record = try? store.record(key), let restoration = try? Restoration(record, in: store, tools: tools)
      else { continue }
      try observe(restoration)
      if known[digest] != nil { return }
    }
  }

  private func observe(_ restoration: Restoration) throws {
    guard case .source(let folder) = restoration.node.prepared.body,
      observed.insert(restoration.instance.key).inserted
    else { return }
    let scanner = SourceScanner(store: store, variables: variables, interruption: interruption) { _, _, _ in }
    let observation = try scanner.observe(restoration.node, folder)
    known.merge(Runner.trees([0: observation])) { a, _ in a }
  }
}
