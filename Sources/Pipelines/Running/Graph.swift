import Determinism

/// One execution to be: a stage, or of a fanned-out stage the instance of one element.
struct Instance: Sendable {
  let stage: Int
  /// Index of the element; 0 for a stage that runs once.
  let slot: Int
  /// `finetune` or `evaluate[3]`.
  let name: String
  let identity: StageIdentity
  let key: Digest
  /// By the name of the port; one artifact unless the port is a list.
  let inputs: [String: [Artifact]]
  /// The element where an input takes it, and where it comes from.
  let element: Element?
  /// Of a source, what was found: nothing is left to run.
  let observed: [String: Artifact]?

  struct Element: Sendable {
    let value: CanonicalValue
    let ports: [String]
    let origin: Record.Element
  }
}

/// A pipeline that is being worked off: which instances there are, and which artifacts are known.
///
/// It grows: a fanned-out stage gets its instances when the array it fans out over becomes known. It executes
/// nothing; a planner completes what is cached, a runner completes what it ran.
struct Graph {
  struct Slot {
    var instance: Instance?
    var outputs: [String: Artifact]?
  }

  struct StageState {
    /// Nil while the number of instances is unknown.
    var slots: [Slot]?
    /// Slots without outputs.
    var open = 0
    /// The array, of a fanned-out stage.
    var elements: [CanonicalValue] = []
    var array: Artifact?

    var isComplete: Bool { slots != nil && open == 0 }
  }

  let pipeline: Pipeline
  /// Stages that matter, rising.
  let wanted: [Int]
  private(set) var states: [StageState]
  private let isWanted: [Bool]
  private let traits: [String: String]
  private let observations: [Int: [String: Artifact]]
  private let loadArray: (Artifact) throws -> [CanonicalValue]

  /// - Parameters:
  ///   - observations: what each source found; a source without an entry never completes.
  ///   - loadArray: reads a `json` artifact that must be an array.
  init(
    pipeline: Pipeline, wanted: [Int], traits: [String: String], observations: [Int: [String: Artifact]],
    loadArray: @escaping (Artifact) throws -> [CanonicalValue]
  ) {
    self.pipeline = pipeline
    self.wanted = wanted
    self.traits = traits
    self.observations = observations
    self.loadArray = loadArray
    states = pipeline.stages.map { _ in StageState() }
    var flags = [Bool](repeating: false, count: states.count)
    for i in wanted {
      flags[i] = true
      if pipeline.stages[i].forEach == nil { states[i] = StageState(slots: [Slot()], open: 1) }
    }
    isWanted = flags
  }

  /// The instances that need nothing.
  mutating func start() throws -> [Instance] {
    var found = [Instance]()
    for i in wanted where pipeline.stages[i].dependencies.isEmpty {
      attempt(i, slot: 0, into: &found)
    }
    return found
  }

  /// Notes the outputs of an instance.
  /// - Returns: the instances that became known by it.
  mutating func complete(_ instance: Instance, outputs: [String: Artifact]) throws -> [Instance] {
    var found = [Instance]()
    let stage = instance.stage
    precondition(states[stage].slots?[instance.slot].outputs == nil, "\(instance.name) completed twice")
    states[stage].slots![instance.slot].outputs = outputs
    states[stage].open -= 1
    for d in pipeline.stages[stage].dependents where isWanted[d] {
      let readsSibling = pipeline.stages[d].inputs.values.contains {
        if case .sibling(stage, _) = $0 { true } else { false }
      }
      if readsSibling, states[d].slots != nil { attempt(d, slot: instance.slot, into: &found) }
    }
    if states[stage].isComplete { try stageCompleted(stage, into: &found) }
    return found
  }

  private mutating func stageCompleted(_ stage: Int, into found: inout [Instance]) throws {
    for d in pipeline.stages[stage].dependents where isWanted[d] {
      if states[d].slots == nil { try expand(d) }
      guard let slots = states[d].slots else { continue }
      for slot in slots.indices { attempt(d, slot: slot, into: &found) }
      // An empty array makes a stage without instances: done as soon as it is known.
      if slots.isEmpty, !pipeline.stages[d].dependents.isEmpty { try stageCompleted(d, into: &found) }
    }
  }

  private mutating func expand(_ stage: Int) throws {
    guard let binding = pipeline.stages[stage].forEach, let array = artifacts(binding, slot: 0)?.first else { return }
    do {
      states[stage].elements = try loadArray(array)
    } catch let error as PipelineError {
      throw PipelineError(error.code, "stage '\(pipeline.stages[stage].name)': \(error.message)")
    }
    states[stage].array = array
    states[stage].slots = states[stage].elements.map { _ in Slot() }
    states[stage].open = states[stage].elements.count
  }

  /// Makes the instance of a slot if all its inputs are known and it was not made before.
  private mutating func attempt(_ stage: Int, slot: Int, into found: inout [Instance]) {
    guard states[stage].slots![slot].instance == nil, let instance = instance(stage, slot: slot) else { return }
    states[stage].slots![slot].instance = instance
    found.append(instance)
  }

  private func instance(_ stage: Int, slot: Int) -> Instance? {
    let node = pipeline.stages[stage]
    var inputs = [String: [Artifact]]()
    var element: Instance.Element?
    if node.forEach != nil {
      let value = states[stage].elements[slot]
      let ports = node.inputs.filter { $0.value == .element }.keys.sorted()
      for port in ports { inputs[port] = [Artifact(kind: JSONFormat.name, digest: value.digest)] }
      element = Instance.Element(
        value: value, ports: ports, origin: Record.Element(array: states[stage].array!.digest, index: slot))
    }
    for (port, binding) in node.inputs where binding != .element {
      guard let artifacts = artifacts(binding, slot: slot) else { return nil }
      inputs[port] = artifacts
    }
    var observed: [String: Artifact]?
    if node.kind.isSource {
      guard let outputs = observations[stage] else { return nil }
      observed = outputs
    }
    let lists = Set(node.kind.inputs.filter(\.isList).map(\.name))
    let identity = identity(
      node,
      inputs: Dictionary(
        uniqueKeysWithValues: inputs.map { name, artifacts in
          (name, lists.contains(name) ? .list(artifacts.map(\.digest)) : .single(artifacts[0].digest))
        }),
      observed: (observed ?? [:]).mapValues(\.digest))
    return Instance(
      stage: stage, slot: slot, name: node.forEach == nil ? node.name : "\(node.name)[\(slot)]", identity: identity,
      key: identity.key, inputs: inputs, element: element, observed: observed)
  }

  /// What is known of the identity that all instances of a stage share; inputs that other stages still owe are left out.
  func knownIdentity(_ stage: Int) -> StageIdentity {
    let node = pipeline.stages[stage]
    var inputs = [String: StageIdentity.Input]()
    for (port, binding) in node.inputs {
      switch binding {
      case .element, .sibling: continue
      case .output: inputs[port] = artifacts(binding, slot: 0).map { .single($0[0].digest) }
      case .list: inputs[port] = artifacts(binding, slot: 0).map { .list($0.map(\.digest)) }
      }
    }
    return identity(node, inputs: inputs, observed: [:])
  }

  private func identity(
    _ node: Pipeline.StageNode, inputs: [String: StageIdentity.Input], observed: [String: Digest]
  ) -> StageIdentity {
    StageIdentity(
      kind: node.kind.name, version: node.kind.version,
      traits: Dictionary(uniqueKeysWithValues: node.kind.traits.map { ($0, traits[$0]!) }),
      parameters: node.prepared.parameters, seed: node.kind.isRandom ? node.seed : nil, inputs: inputs,
      observed: observed)
  }

  /// The artifacts of a binding; nil while they are not known.
  private func artifacts(_ binding: Pipeline.InputBinding, slot: Int) -> [Artifact]? {
    switch binding {
    case .output(let stage, let name):
      guard let outputs = states[stage].slots?[0].outputs else { return nil }
      return [outputs[name]!]
    case .sibling(let stage, let name):
      guard let slots = states[stage].slots, let outputs = slots[slot].outputs else { return nil }
      return [outputs[name]!]
    case .list(let stage, let name):
      guard states[stage].isComplete, let slots = states[stage].slots else { return nil }
      return slots.map { $0.outputs![name]! }
    case .element: preconditionFailure("an element is no artifact of a stage")
    }
  }

  /// Names of the stages whose results a stage waits for.
  func waitsFor(_ stage: Int) -> [String] {
    pipeline.stages[stage].dependencies.filter { !states[$0].isComplete }.map { pipeline.stages[$0].name }
  }

  /// All artifacts known so far.
  var artifacts: [Artifact] {
    wanted.flatMap { states[$0].slots ?? [] }.flatMap { $0.outputs.map { Array($0.values) } ?? [] }
  }

  var isComplete: Bool { wanted.allSatisfy { states[$0].isComplete } }

  /// The digest over all artifacts of a complete pipeline: the sorted unique pairs of kind and digest, no names.
  var root: Digest? {
    guard isComplete else { return nil }
    let pairs = Set(artifacts.map { Artifact(kind: $0.kind, digest: $0.digest) }).sorted()
    return CanonicalValue.array(pairs.map { .array([.string($0.kind), .string($0.digest.hex)]) }).digest
  }
}
