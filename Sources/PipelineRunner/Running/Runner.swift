import ArtifactStore
import Determinism
import PipelineModel

/// Brings stages up to date: executes what is not cached, several independent instances side by side.
///
/// The graph is worked off on the calling thread. An executor runs the stages; by default each instance gets a thread
/// of its own in this process.
public final class Runner {
  private let planner: Planner
  private let options: RunOptions
  private let executor: (any Executor)?
  private let observer: @Sendable (RunEvent) -> Void
  private let journal: Journal
  private let claims: MemoryClaims
  private var store: Store { planner.store }

  /// - Parameters:
  ///   - executor: nil for threads of this process, `options.jobs` of them.
  ///   - observer: receives all events, on any thread.
  public init(
    planner: Planner, options: RunOptions, executor: (any Executor)? = nil,
    observer: @escaping @Sendable (RunEvent) -> Void = { _ in }
  ) {
    precondition(options.jobs >= 1 && options.threads >= 1, "\(options.jobs) jobs, \(options.threads) threads")
    self.planner = planner
    self.options = options
    self.executor = executor
    planner.host.allow(options.sandbox)
    claims = MemoryClaims(planner.pipeline, planner.store.registry)
    journal = Journal(store: planner.store, pipeline: planner.pipeline.name, details: options.details)
    self.observer = { [journal] event in
      switch event {
      case .runStarted, .progress, .printed, .hashing, .highlight: break
      default: journal.note(event)
      }
      observer(event)
    }
  }

  /// - Parameter stages: stages and instances wanted, such as `judge` and `judge[3]`; none means all.
  /// - Throws: before anything runs: a source that is missing, a store that can't be used.
  public func run(stages names: [String] = []) throws -> RunResult {
    let clock = ContinuousClock()
    let begin = clock.now
    let guarded = try StoreLock.shared(store)
    defer { withExtendedLifetime(guarded) {} }
    let selected = try InstanceSelection(names, in: planner.pipeline)
    let (observations, problems) = try planner.observe(selected.stages)
    if let first = problems.min(by: { $0.key < $1.key }) { throw first.value }
    try options.requireConsent(to: selected.stages, of: planner.pipeline)
    try planner.pipeline.notices(of: selected.stages, under: options.sandbox).forEach { observer(.notice($0)) }
    for notice in try planner.pipeline.notices(of: selected.stages, on: planner.host) { observer(.notice(notice)) }
    try store.sweep()
    journal.note(environments: try environments(of: selected.stages))
    observer(.runStarted(run: journal.run, pipeline: planner.pipeline.name, details: journal.details))

    var scheduler = scheduler(for: planner.makeGraph(selected, observations), SourceTree.trees(of: observations))
    try scheduler.run()
    store.endScratch()
    let result = RunResult(
      root: names.isEmpty && scheduler.failures.isEmpty ? scheduler.graph.root : nil, executed: scheduler.executed,
      cached: scheduler.cached, failures: scheduler.failures,
      wasInterrupted: planner.interruption.isRequested && !scheduler.graph.isComplete,
      highlights: HighlightedStage.all(in: scheduler.graph, store: store))
    for stage in result.highlights { stage.events.forEach(observer) }
    observer(
      .runFinished(
        root: result.root, executed: result.executed, cached: result.cached,
        seconds: (clock.now - begin) / .seconds(1), wasInterrupted: result.wasInterrupted))
    return result
  }

  /// Digests of the environments of some stages, by the names that the pipeline file gives them.
  private func environments(of stages: [Int]) throws -> [String: CanonicalValue] {
    var found = [String: CanonicalValue]()
    for stage in stages {
      let node = planner.pipeline.stages[stage]
      guard let name = node.environment?.name, found[name] == nil else { continue }
      found[name] = try node.tools(on: planner.host)?.traits[EnvironmentStore.trait].map { .string($0) }
    }
    return found
  }

  /// The orders that a run would begin with, in a store that is not changed: those of instances that are not cached and
  /// wait for no other.
  public func ordersToStart(stages names: [String] = []) throws -> [WorkOrder] {
    let survey = try planner.survey(names)
    if let first = survey.problems.min(by: { $0.key < $1.key }) { throw first.value }
    let trees = SourceTree.trees(of: survey.observations)
    return survey.graph.wanted.flatMap { survey.graph.instances(of: $0) }.compactMap { slot in
      guard slot.outputs == nil, let instance = slot.instance, instance.observed == nil else { return nil }
      return order(of: instance, threads: options.threads, trees)
    }
  }

  /// Starts a shell where the program of an instance would run, with its inputs and its environment.
  /// - Parameter words: another program, and its arguments.
  /// - Returns: the exit status.
  /// - Throws: where its inputs are not there yet.
  public func enter(_ name: String, words: [String]) throws -> Int32 {
    let guarded = try StoreLock.shared(store)
    defer {
      store.endScratch()
      withExtendedLifetime(guarded) {}
    }
    let survey = try planner.survey([name])
    if let first = survey.problems.min(by: { $0.key < $1.key }) { throw first.value }
    try options.requireConsent(to: survey.selected.stages, of: planner.pipeline)
    let selection = try planner.pipeline.selection(name)
    let instances = survey.graph.instances(of: selection.stage).compactMap(\.instance).filter { instance in
      (selection.slots?.contains(instance.slot) ?? true)
        && (selection.round == nil || selection.round == instance.round)
    }
    guard let instance = instances.first else {
      throw PipelineError(
        .notUpToDate,
        "'\(name)' waits for the results of other stages; run these first: autopanoptic run \(planner.pipeline.file)")
    }
    guard instances.count == 1 else {
      throw PipelineError(
        .badReference, "'\(name)' has \(instances.count) instances; name one, such as '\(instance.name)'")
    }
    let trees = SourceTree.trees(of: survey.observations)
    let order = order(of: instance, threads: options.threads, trees)
    return try planner.worker(knowing: trees).execution(of: order, observer: observer).enter(words: words)
  }

  private func order(of instance: Instance, threads: Int, _ trees: [Digest: SourceTree]) -> WorkOrder {
    var allowance = options.allowance
    let stage = planner.pipeline.stages[instance.stage]
    var resources = stage.resources
    if executor != nil, resources.memory.isEmpty {
      resources.memory = claims.ladder(of: stage.name, threads: resources.cpus ?? 1)
    }
    allowance.threads = resources.cpus.map { min($0, options.threads) } ?? threads
    allowance.sandbox = options.sandbox(of: stage)
    return WorkOrder(
      instance, of: planner.pipeline.name, trees: trees, run: journal.run, allowance: allowance,
      resources: resources, place: stage.environment, rules: stage.rules, environment: options.environment)
  }

  private func scheduler(for graph: Graph, _ trees: [Digest: SourceTree]) -> Scheduler {
    let local = LocalExecutor(
      worker: planner.worker(knowing: trees), capacity: options.jobs, threads: options.threads, memory: options.memory)
    return Scheduler(
      graph: graph, results: store, executor: executor ?? local, recorder: local,
      limits: Scheduler.Limits(threads: options.threads, keepsGoing: options.keepGoing),
      interruption: planner.interruption,
      claim: { [planner, options, claims] instance in
        let stage = planner.pipeline.stages[instance.stage]
        let memory = stage.resources.memory.first ?? claims.bytes(of: stage.name, threads: options.threads)
        return Claim(memory: memory ?? 0, processors: stage.resources.cpus ?? 0)
      },
      order: { [self] instance, threads in order(of: instance, threads: threads, trees) }, observer: observer)
  }
}

extension Store: ResultLookup {
  package func cachedOutputs(of instance: Instance, ports: [OutputPort]) throws -> [String: Artifact]? {
    try cachedOutputs(of: instance.key, ports: ports, stage: instance.name)
  }

  package func noteFailure(of key: Digest, _ message: String) {
    // The plan alone shows it; a run does not fail for it.
    try? index.addFailure(key, message)
  }
}
