import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// Executes cached stages again and compares. Neither records nor objects change.
public struct Rerunner {
  let planner: Planner
  let options: RunOptions
  let observer: @Sendable (RunEvent) -> Void

  public init(planner: Planner, options: RunOptions, observer: @escaping @Sendable (RunEvent) -> Void = { _ in }) {
    self.planner = planner
    self.options = options
    self.observer = observer
    planner.host.allow(options.sandbox)
  }

  /// - Parameter names: stages, or single instances such as `evaluate[3]`.
  /// - Throws: code `notUpToDate` where one of them has no result to compare with; `StageInterrupted`.
  public func rerun(_ names: [String]) throws -> RerunReport {
    let guarded = try StoreLock.shared(planner.store)
    defer {
      planner.store.endScratch()
      withExtendedLifetime(guarded) {}
    }
    let selections = try names.map { try planner.pipeline.selection($0) }
    let demand = try Demand(names, in: planner.pipeline)
    let (observations, problems) = try planner.observe(demand.stages)
    if let first = problems.min(by: { $0.key < $1.key }) { throw first.value }
    try planner.pipeline.notices(of: demand.stages, under: options.sandbox).forEach { observer(.notice($0)) }
    var graph = planner.makeGraph(demand, observations)
    var known = try graph.start()
    var next = 0
    while next < known.count {
      if let outputs = try known[next].observed ?? planner.cachedOutputs(known[next]) {
        known += try graph.complete(known[next], outputs: outputs)
      }
      next += 1
    }
    let sources = SourceTree.trees(of: observations)
    var reports = [RerunReport.InstanceReport]()
    for selection in selections {
      for instance in try select(selection, in: graph) {
        reports.append(try rerun(instance, sources: sources))
      }
    }
    return RerunReport(instances: reports)
  }

  private func rerun(
    _ instance: Instance, sources: [Digest: SourceTree]
  ) throws -> RerunReport.InstanceReport {
    let execution = Execution(
      store: planner.store, pipeline: planner.pipeline.name, node: planner.pipeline.stages[instance.stage],
      instance: instance, sources: sources, threads: options.threads, run: "", environment: options.environment,
      checkpointInterval: options.checkpointInterval, interruption: planner.interruption, observer: observer,
      sandbox: options.sandbox)
    return try execution.rehearseAlone(record: try planner.store.record(instance.key))
  }

  /// - Throws: where one of them has no result to compare with.
  private func select(_ selection: Pipeline.Selection, in graph: Graph) throws -> [Instance] {
    let node = graph.pipeline.stages[selection.stage]
    if node.kind.isSource {
      throw PipelineError(.badReference, "'\(node.name)' is a source: every plan looks at it anew")
    }
    let rounds = selection.round.map { $0..<$0 + 1 } ?? 0..<node.rounds
    return try rounds.flatMap { round in
      guard let slots = graph.states[selection.stage][round].slots else { throw notUpToDate(node.name) }
      return try slots.indices.filter { selection.slot == nil || $0 == selection.slot }.map { slot in
        guard let instance = slots[slot].instance, slots[slot].outputs != nil else {
          throw notUpToDate(node.instanceName(round: round, slot: slot))
        }
        return instance
      }
    }
  }

  private func notUpToDate(_ stage: String) -> PipelineError {
    PipelineError(.notUpToDate, "'\(stage)' has no result to compare with; run the pipeline first")
  }
}
