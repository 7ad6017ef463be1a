import ArtifactStore
import Determinism
import Foundation
import PipelineModel

/// How a run goes about its work. Nothing here may change a result.
public struct RunOptions: Sendable {
  /// Instances side by side at most.
  public var jobs = 1
  /// Threads of all of them together.
  public var threads = 1
  /// Whether stages that do not depend on a failed one still run.
  public var keepGoing = false
  /// Seconds between the checkpoints of a stage; 0 saves one after every step.
  public var checkpointInterval = 20.0
  /// Whether commands are kept from what they did not declare.
  public var sandbox = SandboxPolicy.automatic
  /// Noted in the records: program, host and the like.
  public var environment: CanonicalValue = .object([:])

  public init() {}
}

public struct RunResult: Sendable {
  public struct Failure: Sendable {
    public let stage: String
    public let error: any Error
    public let message: String
    /// Whether the user's file or data is at fault.
    public var isUserData: Bool { (error as? any DiagnosableError)?.isUserData ?? false }
  }

  /// Over all artifacts of the pipeline, where all stages were asked for and are there now.
  public let root: Digest?
  public let executed: Int
  public let cached: Int
  public let failures: [Failure]
  public let wasInterrupted: Bool
  /// Numbers that people want to see, of the stages wanted that are complete, in the order of the pipeline.
  public let highlights: [HighlightedStage]
}

/// Brings stages up to date: executes what is not cached, several independent instances side by side.
///
/// The graph is worked off on the calling thread; every instance gets a thread of its own, so a stage may block.
public final class Runner {
  private let planner: Planner
  private let options: RunOptions
  private let observer: @Sendable (RunEvent) -> Void
  private let mailbox = Mailbox()
  private let journal: Journal
  private var store: Store { planner.store }

  public init(planner: Planner, options: RunOptions, observer: @escaping @Sendable (RunEvent) -> Void = { _ in }) {
    precondition(options.jobs >= 1 && options.threads >= 1, "\(options.jobs) jobs, \(options.threads) threads")
    self.planner = planner
    self.options = options
    planner.host.allow(options.sandbox)
    journal = Journal(store: planner.store, pipeline: planner.pipeline.name)
    self.observer = { [journal] event in
      switch event {
      case .runStarted, .progress, .hashing, .highlight: break
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
    let demand = try Demand(names, in: planner.pipeline)
    let (observations, problems) = try planner.observe(demand.stages)
    if let first = problems.min(by: { $0.key < $1.key }) { throw first.value }
    try planner.pipeline.notices(of: demand.stages, under: options.sandbox).forEach { observer(.notice($0)) }
    try store.sweep()
    observer(.runStarted(run: journal.run, pipeline: planner.pipeline.name))

    var work = Work(graph: planner.makeGraph(demand, observations))
    let sources = SourceTree.trees(of: observations)
    admit(try work.graph.start(), &work)
    while true {
      let mayStart = !planner.interruption.isRequested && (work.failures.isEmpty || options.keepGoing)
      if mayStart { startReady(&work, sources) }
      if work.running.isEmpty && (work.ready.isEmpty || !mayStart) { break }
      for letter in mailbox.take(waitingAtMost: 0.2) { receive(letter, &work) }
    }
    store.endScratch()
    let result = RunResult(
      root: names.isEmpty && work.failures.isEmpty ? work.graph.root : nil, executed: work.executed,
      cached: work.cached, failures: work.failures,
      wasInterrupted: planner.interruption.isRequested && !work.graph.isComplete,
      highlights: HighlightedStage.all(in: work.graph, store: store))
    for stage in result.highlights { stage.events.forEach(observer) }
    let finish = RunEvent.runFinished(
      root: result.root, executed: result.executed, cached: result.cached, seconds: (clock.now - begin) / .seconds(1),
      wasInterrupted: result.wasInterrupted)
    observer(finish)
    return result
  }

  private struct Work {
    var graph: Graph
    var ready = ReadyList()
    var running: [Digest: Instance] = [:]
    /// Of those running, the ones whose results are only on their way to the disk.
    var committing: Set<Digest> = []
    var executed = 0
    var cached = 0
    var failures: [RunResult.Failure] = []
  }

  /// Completes what is cached and what that makes known; the rest becomes ready.
  private func admit(_ instances: [Instance], _ work: inout Work) {
    var queue = instances
    var next = 0
    while next < queue.count {
      let instance = queue[next]
      next += 1
      do {
        if let outputs = try planner.cachedOutputs(instance) {
          work.cached += 1
          observer(.cached(stage: instance.name, key: instance.key))
          queue += try work.graph.complete(instance, outputs: outputs)
        } else {
          work.ready.append(instance)
        }
      } catch {
        fail(instance, error, &work)
      }
    }
  }

  /// Results on their way to the disk at most; more would hold memory and gain nothing.
  private static let commitLimit = 64

  private func startReady(_ work: inout Work, _ sources: [Digest: SourceTree]) {
    while work.running.count - work.committing.count < options.jobs, work.committing.count < Runner.commitLimit {
      // Two instances may have one key: the second finds the result of the first.
      guard let instance = work.ready.take(where: { work.running[$0.key] == nil }) else { return }
      // Instances of one stage share the threads. Other stages get all: one that trains for hours must not go on
      // with half of them because a short one happened to run when it began.
      let isOneOfMany = planner.pipeline.stages[instance.stage].forEach != nil
      let computing = work.running.count - work.committing.count
      let sideBySide = isOneOfMany ? min(options.jobs, computing + 1 + work.ready.count) : 1
      work.running[instance.key] = instance
      let execution = Execution(
        store: store, pipeline: planner.pipeline.name, node: planner.pipeline.stages[instance.stage],
        instance: instance, sources: sources,
        threads: max(1, options.threads / sideBySide), run: journal.run, environment: options.environment,
        checkpointInterval: options.checkpointInterval, interruption: planner.interruption, observer: observer,
        sandbox: options.sandbox)
      do {
        try start(execution)
      } catch {
        work.running[instance.key] = nil
        // The system has no thread for it now. It has one when another instance is done.
        guard work.running.isEmpty else { return work.ready.putBack(instance) }
        fail(instance, error, &work)
      }
    }
  }

  private func start(_ execution: Execution) throws {
    try startThread(named: execution.instance.name, stackBytes: deepStackBytes) { [mailbox, planner] in
      let key = execution.instance.key
      let result = Result {
        try execution.perform {
          try planner.cachedOutputs(execution.instance)
        } computed: {
          mailbox.put(Mailbox.Letter(key: key, news: .computed))
        }
      }
      mailbox.put(Mailbox.Letter(key: key, news: .ended(result)))
    }
  }

  private func receive(_ letter: Mailbox.Letter, _ work: inout Work) {
    guard case .ended(let result) = letter.news else {
      work.committing.insert(letter.key)
      return
    }
    work.committing.remove(letter.key)
    guard let instance = work.running.removeValue(forKey: letter.key) else {
      preconditionFailure("a result that nobody waits for")
    }
    do {
      let outputs: [String: Artifact]
      switch try result.get() {
      case .executed(let made, let seconds):
        outputs = made
        work.executed += 1
        observer(.finished(stage: instance.name, key: instance.key, outputs: made, seconds: seconds))
      case .found(let made):
        outputs = made
        work.cached += 1
        observer(.cached(stage: instance.name, key: instance.key))
      }
      admit(try work.graph.complete(instance, outputs: outputs), &work)
    } catch is StageInterrupted where planner.interruption.isRequested {
      observer(.interrupted(stage: instance.name))
    } catch {
      fail(instance, error, &work)
    }
  }

  private func fail(_ instance: Instance, _ error: any Error, _ work: inout Work) {
    let message = String(describing: error)
    work.failures.append(RunResult.Failure(stage: instance.name, error: error, message: message))
    try? store.index.addFailure(instance.key, message)
    observer(.failed(stage: instance.name, key: instance.key, message: message))
  }
}

/// Instances that wait for their turn, in the order in which they came.
private struct ReadyList {
  private var instances: [Instance?] = []
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func append(_ instance: Instance) {
    instances.append(instance)
    count += 1
  }

  /// Takes an instance back that was taken and could not start.
  mutating func putBack(_ instance: Instance) {
    instances.insert(instance, at: head)
    count += 1
  }

  /// The first that will do.
  mutating func take(where suits: (Instance) -> Bool) -> Instance? {
    while head < instances.count, instances[head] == nil { head += 1 }
    guard let i = instances[head...].firstIndex(where: { $0.map(suits) ?? false }) else { return nil }
    defer {
      instances[i] = nil
      count -= 1
    }
    return instances[i]
  }
}

/// Where the threads of instances leave their results.
private final class Mailbox: @unchecked Sendable {
  // Invariant: `letters` is touched only under `condition`.
  struct Letter: Sendable {
    enum News: Sendable {
      /// Nothing is left to compute; the result is on its way to the disk.
      case computed
      case ended(Result<Execution.Outcome, any Error>)
    }

    let key: Digest
    let news: News
  }

  private let condition = NSCondition()
  private var letters: [Letter] = []

  func put(_ letter: Letter) {
    condition.withLock {
      letters.append(letter)
      condition.signal()
    }
  }

  /// The results that came in; waits for the first of them, but not for ever, so that a request to stop is seen.
  func take(waitingAtMost seconds: Double) -> [Letter] {
    condition.withLock {
      if letters.isEmpty { _ = condition.wait(until: Date(timeIntervalSinceNow: seconds)) }
      defer { letters = [] }
      return letters
    }
  }
}
