import Determinism

/// What a run would do, and why.
public struct Plan: Sendable {
  public enum State: String, Sendable {
    /// Its artifacts are in the store.
    case cached
    /// Begun: there is a checkpoint to go on from.
    case partial
    /// There is a record of this stage, but with other inputs, parameters, seed or version.
    case stale
    /// Never run.
    case missing
    /// Its last run failed.
    case failed
    /// What it reads is not known before other stages have run.
    case waiting
  }

  public struct InstancePlan: Sendable {
    public let name: String
    public let key: Digest
    public let state: State
    /// Why it would run; empty where it would not.
    public let reasons: [String]
    /// By output; empty unless cached.
    public let outputs: [String: Artifact]
    /// Of a partial one.
    public let checkpoint: (step: Int, of: Int)?
  }

  public struct StagePlan: Sendable {
    public let name: String
    public let kind: String
    public let isFannedOut: Bool
    /// Known instances; a stage that is not fanned out has one, or none while it waits.
    public let instances: [InstancePlan]
    /// How many instances there will be, where that is known.
    public let count: Int?
    /// Stages that must run first.
    public let waitsFor: [String]
    /// Of a source that can't be read, why.
    public let problem: PipelineError?

    /// The state that says most about the stage.
    public var state: State {
      if problem != nil { return .missing }
      let states = instances.map(\.state)
      for s in [State.failed, .partial, .stale, .missing] where states.contains(s) { return s }
      return instances.count == count ? .cached : .waiting
    }
  }

  public let pipeline: String
  public let stages: [StagePlan]
  /// Over all artifacts, where all are cached.
  public let root: Digest?

  public var isUpToDate: Bool { root != nil }
  public var problems: [PipelineError] { stages.compactMap(\.problem) }
}

/// Compares a pipeline with a store.
public struct Planner: Sendable {
  let pipeline: Pipeline
  public let store: Store
  let variables: [String: String]
  let interruption: Interruption
  let sourceProgress: @Sendable (_ stage: String, _ done: Int, _ of: Int, _ detail: String) -> Void

  /// - Parameter sourceProgress: hears of the hashing of files on the user's disk, in bytes.
  public init(
    pipeline: Pipeline, store: Store, variables: [String: String] = [:], interruption: Interruption = Interruption(),
    sourceProgress: @escaping @Sendable (_ stage: String, _ done: Int, _ of: Int, _ detail: String) -> Void = {
      _, _, _, _ in
    }
  ) {
    self.pipeline = pipeline
    self.store = store
    self.variables = variables
    self.interruption = interruption
    self.sourceProgress = sourceProgress
  }

  /// - Parameter stages: names of the stages wanted; none means all.
  public func plan(stages names: [String] = []) throws -> Plan {
    let wanted = try pipeline.closure(of: names)
    let (observations, problems) = try observe(wanted)
    var graph = makeGraph(wanted, observations)
    var queue = try graph.start()
    var next = 0
    while next < queue.count {
      let instance = queue[next]
      next += 1
      if let outputs = try instance.observed ?? cachedOutputs(instance) {
        queue += try graph.complete(instance, outputs: outputs)
      }
    }
    let stages = wanted.map { describe($0, graph, problem: problems[$0]) }
    return Plan(pipeline: pipeline.name, stages: stages, root: graph.root)
  }

  /// Looks at the folders of the wanted sources.
  func observe(_ wanted: [Int]) throws -> ([Int: SourceObservation], [Int: PipelineError]) {
    var observations = [Int: SourceObservation]()
    var problems = [Int: PipelineError]()
    for i in wanted {
      let node = pipeline.stages[i]
      guard case .source(let folder) = node.prepared.body else { continue }
      let scanner = SourceScanner(store: store, variables: variables, interruption: interruption) {
        sourceProgress(node.name, $0, $1, $2)
      }
      do {
        observations[i] = try scanner.observe(node, folder)
      } catch let error as PipelineError where error.code == .missingSource {
        problems[i] = error
      }
    }
    return (observations, problems)
  }

  func makeGraph(_ wanted: [Int], _ observations: [Int: SourceObservation]) -> Graph {
    Graph(
      pipeline: pipeline, wanted: wanted, traits: store.registry.traits,
      observations: observations.mapValues { observation in
        observation.digests.mapValues { Artifact(kind: TreeFormat.name, digest: $0, isExternal: true) }
      },
      loadArray: { [store] artifact in
        try store.verify(artifact)
        let path = store.objectPath(artifact)
        guard let elements = try JSONFormat.read(path).arrayValue else {
          throw PipelineError(.badArtifact, "\(path): for-each needs an array")
        }
        return elements
      })
  }

  /// The outputs of an instance that need not run; nil where it must.
  func cachedOutputs(_ instance: Instance) throws -> [String: Artifact]? {
    guard let outputs = try store.outputs(of: instance.key),
      pipeline.stages[instance.stage].kind.outputs.allSatisfy({ outputs[$0.name] != nil }),
      outputs.values.allSatisfy(store.hasObject)
    else { return nil }
    return outputs
  }

  private func describe(_ i: Int, _ graph: Graph, problem: PipelineError?) -> Plan.StagePlan {
    let node = pipeline.stages[i]
    let slots = graph.states[i].slots
    let instances = (slots ?? []).compactMap { slot -> Plan.InstancePlan? in
      guard let instance = slot.instance else { return nil }
      if let outputs = slot.outputs {
        return Plan.InstancePlan(
          name: instance.name, key: instance.key, state: .cached, reasons: [], outputs: outputs, checkpoint: nil)
      }
      var reasons = Explanation(store: store).reasons(for: instance, stageName: node.name)
      let checkpoint = CheckpointFolder(path: store.checkpointPath(instance.key)).position()
      var state: Plan.State = reasons == ["never run before"] ? .missing : .stale
      if let failure = store.index.failure(instance.key) {
        state = .failed
        reasons.append("its last run failed: \(failure)")
      }
      if checkpoint != nil { state = .partial }
      return Plan.InstancePlan(
        name: instance.name, key: instance.key, state: state, reasons: reasons, outputs: [:], checkpoint: checkpoint)
    }
    return Plan.StagePlan(
      name: node.name, kind: node.kind.name, isFannedOut: node.forEach != nil, instances: instances,
      count: slots?.count, waitsFor: graph.waitsFor(i), problem: problem)
  }
}
