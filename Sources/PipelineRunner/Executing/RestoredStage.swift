import ArtifactStore
import Determinism
import PipelineModel

/// A stage rebuilt from the identity of an execution, without the pipeline that asked for it.
package struct RestoredStage: Sendable {
  package let node: Pipeline.StageNode
  /// Its programs, and their environment.
  package let tools: ToolIdentity

  package init(node: Pipeline.StageNode, tools: ToolIdentity) {
    self.node = node
    self.tools = tools
  }

  /// - Parameters:
  ///   - stage: the name of the instance.
  ///   - environment: where its programs were.
  ///   - impossible: the error for a reason why the stage can't be rebuilt.
  /// - Throws: where this program would do something else than the identity says.
  package init(
    _ identity: StageIdentity, stage: String, environment: EnvironmentDescription?, in store: Store, host: StageHost,
    impossible: (String) -> PipelineError
  ) throws {
    let registry = store.registry
    let kind = try RestoredStage.kind(of: identity, in: registry, impossible)
    try RestoredStage.requirePorts(of: identity, kind, impossible)
    for name in kind.traits where registry.traits[name] != identity.traits[name] {
      let (now, then) = (registry.traits[name] ?? "absent", identity.traits[name] ?? "absent")
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
    var node = Pipeline.StageNode(
      name: StageAddress.stage(ofInstance: stage), kind: kind, prepared: prepared, seed: identity.seed ?? 0, inputs: [:]
    )
    node.environment = environment
    self.node = node
    tools = try RestoredStage.tools(of: node, identity, host, impossible)
  }

  private static func kind(
    of identity: StageIdentity, in registry: StageRegistry, _ impossible: (String) -> PipelineError
  ) throws -> StageKind {
    guard let kind = registry.kinds[identity.kind] else {
      throw impossible("this program has no stage kind '\(identity.kind)'")
    }
    guard kind.version == identity.version else {
      throw impossible("stage kind '\(kind.name)' is of version \(kind.version) now, not \(identity.version)")
    }
    do {
      return try kind.reinstate?(identity.parameters, registry) ?? kind
    } catch {
      throw impossible("\(error)")
    }
  }

  private static func tools(
    of node: Pipeline.StageNode, _ identity: StageIdentity, _ host: StageHost,
    _ impossible: (String) -> PipelineError
  ) throws -> ToolIdentity {
    if identity.traits[EnvironmentStore.trait] != nil, node.environment == nil {
      throw impossible("nothing says where its environment is; run its pipeline")
    }
    guard let tools = try node.tools(on: host) else { return ToolIdentity() }
    for name in Set(tools.traits.keys).union(identity.traits.keys).sorted()
    where tools.traits[name] != identity.traits[name] {
      let (now, then) = (tools.traits[name] ?? "absent", identity.traits[name] ?? "absent")
      guard name == EnvironmentStore.trait, let environment = tools.environment else {
        throw impossible("\(name) is \(now.prefix(40)) now, not \(then.prefix(40))")
      }
      let before = Digest(hex: then).flatMap { EnvironmentStore.contents(of: $0, in: host.store) }
      let changes = before.map { EnvironmentDifference.text(from: $0, to: environment.contents) } ?? "another one now"
      throw impossible("the environment '\(environment.description.name)' changed: \(changes)")
    }
    return tools
  }

  /// - Throws: where there are other inputs than the kind has, or a seed that it takes no account of.
  private static func requirePorts(
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
}
