import ArtifactStore
import Determinism
import PipelineModel

/// Compares a pipeline with a store.
public struct Planner: Sendable {

  package let pipeline: Pipeline
  public let store: Store
  package let variables: [String: String]
  package let interruption: Interruption
  package let host: StageHost
  let sourceProgress: @Sendable (_ stage: String, _ done: Int, _ of: Int, _ detail: String) -> Void

  /// - Parameter sourceProgress: receives the progress of hashing files on the user's disk, in bytes.
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
    host = store.host(searchPath: variables["PATH"])
  }

  /// - Parameter stages: stages and instances wanted, such as `judge` and `judge[3]`; none means all.
  public func plan(stages names: [String] = []) throws -> Plan {
    plan(by: try survey(names))
  }

  /// What a survey says of each stage.
  package func plan(by survey: Survey) -> Plan {
    let (graph, problems) = (survey.graph, survey.problems)
    let explainer = Explainer(store: store)
    let stages = graph.wanted.map { describe($0, graph, explainer, problem: problems[$0]) }
    return Plan(pipeline: pipeline.name, stages: stages, root: graph.root)
  }

  /// The results of some stages in the store. Quicker than `plan`, since it explains nothing: the outputs of their
  /// instances in order, nil for those that must run; no list where the number of instances is not known.
  public func results(of names: [String]) throws -> [String: [[String: Artifact]?]] {
    guard !names.isEmpty else { return [:] }
    let graph = try survey(names).graph
    var results = [String: [[String: Artifact]?]]()
    for stage in graph.wanted {
      results[pipeline.stages[stage].name] = graph.slots(of: stage)?.map(\.outputs)
    }
    return results
  }

  /// What the store has of a pipeline, or of a part of it.
  package struct Survey {
    package let selected: InstanceSelection
    /// Complete as far as the store has the results.
    package let graph: Graph
    package let observations: [Int: SourceObservation]
    /// What is wrong with sources and programs, by stage.
    package let problems: [Int: PipelineError]
  }

  /// The graph, complete as far as the store has results.
  package func survey(_ names: [String]) throws -> Survey {
    let selected = try InstanceSelection(names, in: pipeline)
    let (observations, problems) = try observe(selected.stages)
    var graph = makeGraph(selected, observations)
    _ = try graph.completeKnown(graph.start()) { instance in
      try instance.observed ?? cachedOutputs(instance)
    } failed: { _, error in
      throw error
    }
    return Survey(selected: selected, graph: graph, observations: observations, problems: problems)
  }

  /// Looks at the folders of the wanted sources.
  package func observe(_ wanted: [Int]) throws -> ([Int: SourceObservation], [Int: PipelineError]) {
    var observations = [Int: SourceObservation]()
    var problems = [Int: PipelineError]()
    for i in wanted {
      let node = pipeline.stages[i]
      do {
        _ = try node.tools(on: host)
      } catch let error as PipelineError where error.code == .missingTool {
        problems[i] = error
      }
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

  package func makeGraph(_ selected: InstanceSelection, _ observations: [Int: SourceObservation]) -> Graph {
    Graph(
      pipeline: pipeline, selected: selected, traits: store.registry.traits,
      observations: Dictionary(
        uniqueKeysWithValues: observations.map { stage, observation in
          (
            stage,
            Dictionary(
              uniqueKeysWithValues: observation.digests.map { name, digest in
                let kind = pipeline.stages[stage].kind.outputs.first { $0.name == name }?.kind ?? TreeFormat.name
                return (name, Artifact(kind: kind, digest: digest, isExternal: !observation.isCopied))
              })
          )
        }),
      toolIdentity: { [pipeline, host] stage in
        let node = pipeline.stages[stage]
        // What is missing was reported when the stages were looked at.
        return try? node.tools(on: host)
      },
      loadElements: { [store] artifact in
        // The manifest of a source is in the store only once a run has noted it.
        if artifact.isExternal || !store.hasObject(artifact),
          let manifest = observations.values.flatMap(\.manifests.values).first(where: { $0.digest == artifact.digest })
        {
          return try ElementValue.files(of: manifest, "the source")
        }
        return try store.elements(of: artifact)
      })
  }

  /// The outputs of an instance that need not run; nil where it must.
  func cachedOutputs(_ instance: Instance) throws -> [String: Artifact]? {
    try store.cachedOutputs(
      of: instance.key, ports: pipeline.stages[instance.stage].kind.outputs, stage: instance.name)
  }

  private func describe(
    _ i: Int, _ graph: Graph, _ explainer: Explainer, problem: PipelineError?
  ) -> Plan.StagePlan {
    let node = pipeline.stages[i]
    let count = graph.slots(of: i)?.count
    let last = explainer.lastEntries(kind: node.kind.name, stageName: node.name)
    let instances = graph.instances(of: i).compactMap { slot -> Plan.InstancePlan? in
      guard let instance = slot.instance else { return nil }
      return describe(instance, outputs: slot.outputs, node, explainer)
    }
    var certain = [String]()
    let isWaiting = problem == nil && (count == nil || instances.count < count!)
    if isWaiting {
      let explanation = foresee(i, graph, explainer)
      if explanation.nearest == nil || !explanation.differences.isEmpty { certain = explanation.reasons }
    }
    // Names may have changed since a cached instance ran: its key finds its record.
    let known = instances.compactMap { $0.state == .cached ? store.index.entry($0.key) : last[$0.name] }
    let ran = isWaiting || problem != nil ? Array(last.values) : known
    let lastCost = ran.isEmpty ? nil : Plan.Cost.sum(ran)
    return Plan.StagePlan(
      name: node.name, kind: node.kind.name, isFannedOut: node.isOneOfMany, needs: needs(of: node),
      instances: instances,
      count: count, waitsFor: graph.waitsFor(i), certainReasons: certain, lastCost: lastCost,
      expectedCost: isWaiting || problem != nil ? lastCost : expectedCost(instances), problem: problem)
  }

  /// Of a grid, for the first instance that runs in any case, or the first.
  private func foresee(_ i: Int, _ graph: Graph, _ explainer: Explainer) -> Explanation {
    let node = pipeline.stages[i]
    var first: Explanation?
    // Instances that share their parameters share what is known of them.
    for slot in 0..<min(max(1, node.variants.count), Planner.mostForeseen) {
      let explanation = explainer.foresee(
        graph.knownIdentity(i, slot: slot), stageName: node.name, environment: node.environment?.name,
        instanceName: node.grid == nil ? nil : node.instanceName(round: 0, slot: slot))
      if explanation.nearest == nil || !explanation.differences.isEmpty { return explanation }
      first = first ?? explanation
    }
    return first!
  }

  /// Instances of a grid whose parameters are compared while their inputs are not known.
  private static let mostForeseen = 64

  private func needs(of node: Pipeline.StageNode) -> [Plan.Need] {
    let needs = node.bindings.compactMap { binding in
      binding.origin.map {
        Plan.Need(stage: pipeline.stages[$0.stage].name, output: $0.output, isOfEarlierRounds: !binding.isForward)
      }
    }
    return Set(needs).sorted { ($0.stage, $0.output) < ($1.stage, $1.output) }
  }

  private func describe(
    _ instance: Instance, outputs: [String: Artifact]?, _ node: Pipeline.StageNode, _ explainer: Explainer
  ) -> Plan.InstancePlan {
    if let outputs {
      let cost = store.index.entry(instance.key).map { Plan.Cost.sum([$0]) }
      return Plan.InstancePlan(
        name: instance.name, key: instance.key, state: .cached, reasons: [], differences: [], nearest: nil,
        outputs: outputs, checkpoint: nil, cost: cost)
    }
    let explanation = explainer.explain(
      instance, stageName: node.name, environment: node.environment?.name, isOfGrid: !node.variants.isEmpty)
    var reasons = explanation.reasons
    let checkpoint = CheckpointFolder(path: store.checkpointPath(instance.key), key: instance.key).position()
    var state: Plan.State = explanation.nearest == nil && explanation.lost.isEmpty ? .missing : .stale
    if let failure = store.index.failure(instance.key) {
      state = .failed
      reasons.append("its last run failed: \(failure)")
    }
    if checkpoint != nil { state = .partial }
    let entry = explanation.nearest ?? store.index.entry(instance.key)
    return Plan.InstancePlan(
      name: instance.name, key: instance.key, state: state, reasons: reasons, differences: explanation.differences,
      nearest: explanation.nearest?.key, outputs: [:], checkpoint: checkpoint, cost: entry.map { Plan.Cost.sum([$0]) })
  }

  /// Nil where an instance has no record to go by.
  private func expectedCost(_ instances: [Plan.InstancePlan]) -> Plan.Cost? {
    var sum = Plan.Cost(seconds: 0, bytes: 0)
    for instance in instances where instance.state != .cached {
      guard let cost = instance.cost else { return nil }
      sum.seconds += cost.seconds
      sum.bytes = sum.bytes.addingSaturated(cost.bytes)
    }
    return sum
  }
}
