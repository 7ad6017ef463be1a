import ArtifactStore
import Determinism
import PipelineModel

extension Graph {
  /// The instance of a slot; nil while one of its inputs is not known.
  func instance(_ stage: Int, _ round: Int, slot: Int) -> Instance? {
    let node = pipeline.stages[stage]
    var inputs = [String: [Artifact]]()
    var element: Instance.Element?
    if node.forEach != nil {
      let value = states[stage][round].elements[slot]
      let ports = node.inputs.filter { $0.value == .element }.keys.sorted()
      for port in ports { inputs[port] = [value.artifact] }
      element = Instance.Element(
        value: value, ports: ports,
        origin: Record.Element(array: states[stage][round].array!.digest, index: slot, kind: value.artifact.kind))
    }
    for (port, binding) in node.inputs where binding != .element {
      if case .previous = binding, round == 0 { continue }
      guard let artifacts = artifacts(binding, of: stage, round, slot: slot) else { return nil }
      inputs[port] = artifacts
    }
    var observed: [String: Artifact]?
    if node.kind.isSource {
      guard let outputs = observations[stage] else { return nil }
      observed = outputs
    }
    if node.prepared.tools != nil, tools[stage] == nil { return nil }
    let lists = Set(node.kind.inputs.filter(\.isList).map(\.name))
    let identity = identity(
      stage, slot: slot,
      inputs: Dictionary(
        uniqueKeysWithValues: inputs.map { name, artifacts in
          (name, lists.contains(name) ? .list(artifacts.map(\.digest)) : .single(artifacts[0].digest))
        }),
      observed: (observed ?? [:]).mapValues(\.digest))
    return Instance(
      stage: stage, round: round, slot: slot, name: node.instanceName(round: round, slot: slot), identity: identity,
      key: identity.key, inputs: inputs, element: element, observed: observed)
  }

  /// What is known of the identity that all instances of a stage share; inputs that other stages still owe, and those
  /// that differ from round to round, are left out.
  /// - Parameter slot: of a grid, whose instances have parameters of their own.
  func knownIdentity(_ stage: Int, slot: Int = 0) -> StageIdentity {
    let node = pipeline.stages[stage]
    var inputs = [String: StageIdentity.Input]()
    for (port, binding) in node.inputs {
      guard let source = binding.stage, node.loop == nil || pipeline.stages[source].loop != node.loop else { continue }
      switch binding {
      case .output: inputs[port] = artifacts(binding, of: stage, 0, slot: 0).map { .single($0[0].digest) }
      case .list: inputs[port] = artifacts(binding, of: stage, 0, slot: 0).map { .list($0.map(\.digest)) }
      case .picked: if let list = artifacts(binding, of: stage, 0, slot: 0) { inputs[port] = input(binding, list) }
      case .element, .sibling, .earlier, .previous: continue
      }
    }
    return identity(stage, slot: slot, inputs: inputs, observed: [:])
  }

  private func input(_ binding: Pipeline.InputBinding, _ artifacts: [Artifact]) -> StageIdentity.Input {
    binding.isList ? .list(artifacts.map(\.digest)) : .single(artifacts[0].digest)
  }

  func identity(
    _ stage: Int, slot: Int, inputs: [String: StageIdentity.Input], observed: [String: Digest]
  ) -> StageIdentity {
    let node = pipeline.stages[stage]
    var facts = tools[stage]?.traits ?? [:]
    for trait in node.kind.traits { facts[trait] = traits[trait]! }
    let variant = node.variant(slot)
    return StageIdentity(
      kind: node.kind.name, version: node.kind.version, traits: facts,
      parameters: variant.prepared.parameters, seed: node.kind.isRandom ? variant.seed : nil, inputs: inputs,
      observed: observed)
  }

  /// The artifacts of a binding for a reader in a round of a loop; nil while they are not known.
  func artifacts(
    _ binding: Pipeline.InputBinding, of reader: Int, _ round: Int, slot: Int
  ) -> [Artifact]? {
    /// Those of all wanted instances in some rounds, in order.
    func all(_ stage: Int, _ name: String, _ rounds: Range<Int>) -> [Artifact]? {
      guard rounds.allSatisfy({ states[stage][$0].isComplete }) else { return nil }
      return rounds.flatMap { states[stage][$0].slots!.map { $0.outputs![name]! } }
    }
    func mine(_ stage: Int) -> Int { pipeline.roundsRead(of: stage, by: reader, round).lowerBound }
    switch binding {
    case .output(let stage, let name):
      guard let outputs = states[stage][mine(stage)].slots?[0].outputs else { return nil }
      return [outputs[name]!]
    case .sibling(let stage, let name):
      guard let slots = states[stage][mine(stage)].slots, let outputs = slots[slot].outputs else { return nil }
      return [outputs[name]!]
    case .picked(let stage, let slots, let name, _):
      guard let known = states[stage][mine(stage)].slots else { return nil }
      let outputs = slots.compactMap { known[$0].outputs?[name] }
      return outputs.count == slots.count ? outputs : nil
    case .list(let stage, let name): return all(stage, name, pipeline.roundsRead(of: stage, by: reader, round))
    case .earlier(let stage, let name): return all(stage, name, 0..<round)
    case .previous(let stage, let name):
      guard let outputs = states[stage][round - 1].slots?[0].outputs else { return nil }
      return [outputs[name]!]
    case .element: preconditionFailure("an element is no artifact of a stage")
    }
  }
}
