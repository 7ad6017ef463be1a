import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner

/// Executes cached stages again and compares. Neither records nor objects change.
public struct Rerunner {
  let planner: Planner
  let options: RunOptions
  /// Nil for this process, one stage after the other with all threads.
  let executor: (any Executor)?
  let observer: @Sendable (RunEvent) -> Void

  public init(
    planner: Planner, options: RunOptions, executor: (any Executor)? = nil,
    observer: @escaping @Sendable (RunEvent) -> Void = { _ in }
  ) {
    self.planner = planner
    self.options = options
    self.executor = executor
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
    let survey = try planner.survey(names)
    if let first = survey.problems.min(by: { $0.key < $1.key }) { throw first.value }
    try options.requireConsent(to: survey.selected.stages, of: planner.pipeline)
    try planner.pipeline.notices(of: survey.selected.stages, under: options.sandbox).forEach { observer(.notice($0)) }
    let trees = SourceTree.trees(of: survey.observations)
    let worker = planner.worker(knowing: trees)
    let orders = try selections.flatMap { try select($0, in: survey.graph) }.map { instance in
      let stage = planner.pipeline.stages[instance.stage]
      var allowance = options.allowance
      allowance.sandbox = options.sandbox(of: stage)
      return WorkOrder(
        instance, of: planner.pipeline.name, trees: trees, run: "", allowance: allowance, purpose: .compare,
        resources: stage.resources, place: stage.environment, rules: stage.rules, environment: options.environment)
    }
    let executor = executor ?? LocalExecutor(worker: worker, capacity: 1, threads: options.threads)
    let reports = try executor.compare(
      orders, stopsAtFailure: true, interruption: planner.interruption, observer: observer)
    return RerunReport(instances: try reports.map { try $0.get() })
  }

  /// - Throws: where one of them has no result to compare with.
  private func select(_ selection: Pipeline.Selection, in graph: Graph) throws -> [Instance] {
    let node = graph.pipeline.stages[selection.stage]
    if node.kind.isSource {
      throw PipelineError(.badReference, "'\(node.name)' is a source: every plan examines it again")
    }
    let rounds = selection.round.map { $0..<$0 + 1 } ?? 0..<node.rounds
    return try rounds.flatMap { round in
      guard let slots = graph.states[selection.stage][round].slots else { throw notUpToDate(node.name) }
      return try slots.indices.filter { selection.slots?.contains($0) ?? true }.map { slot in
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
