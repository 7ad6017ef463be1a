import Determinism
import PipelineModel

/// What a scheduler needs to know of the results that are there. A store knows it; tests need no files.
package protocol ResultLookup {
  /// The outputs of an instance that need not be executed; nil where it must.
  func cachedOutputs(of instance: Instance, ports: [OutputPort]) throws -> [String: Artifact]?
  /// Notes why an execution failed, for later plans.
  func noteFailure(of key: Digest, _ message: String)
}

/// Works off a graph: completes what is cached, and has the rest executed, several independent instances side by side.
///
/// It touches no file, starts no thread and reads no clock: results, executor and time come from outside. All of it
/// happens on the thread that calls `run`.
package struct Scheduler {
  package struct Limits: Sendable {
    /// Threads of the programs that orders start.
    package var threads: Int
    /// Whether stages that do not depend on a failed one still run.
    package var keepsGoing: Bool

    package init(threads: Int, keepsGoing: Bool) {
      self.threads = threads
      self.keepsGoing = keepsGoing
    }
  }

  package private(set) var graph: Graph
  package private(set) var executed = 0
  package private(set) var cached = 0
  package private(set) var failures: [RunResult.Failure] = []

  private var ready = ReadyList()
  /// Instances that another runner works on; looked at again later.
  private var taken: [Instance] = []
  private var running: [Digest: Instance] = [:]
  /// Of those running, the ones whose results are only on their way to the disk.
  private var committing: Set<Digest> = []
  private var admission: Admission
  /// What was said already: that a key waits for another runner, that a stage is too large to run beside others.
  private var told: (waiting: Set<Digest>, alone: Set<Int>) = ([], [])
  private var isCancelled = false

  private let results: any ResultLookup
  private let executor: any Executor
  private let limits: Limits
  private let interruption: Interruption
  private let mailbox = Mailbox()
  /// Records what sources found: only the process that looked knows it.
  private let recorder: (any Executor)?
  private let claim: (Instance) -> Claim
  private let order: (Instance, _ threads: Int) -> WorkOrder
  private let observer: @Sendable (RunEvent) -> Void

  /// - Parameters:
  ///   - recorder: executes the orders of sources; by default the executor does.
  ///   - claim: what an instance takes, as far as it is known.
  ///   - order: makes the order of an instance.
  package init(
    graph: Graph, results: any ResultLookup, executor: any Executor, recorder: (any Executor)? = nil, limits: Limits,
    interruption: Interruption, claim: @escaping (Instance) -> Claim = { _ in Claim() },
    order: @escaping (Instance, _ threads: Int) -> WorkOrder, observer: @escaping @Sendable (RunEvent) -> Void
  ) {
    self.graph = graph
    self.results = results
    self.executor = executor
    self.recorder = recorder
    self.limits = limits
    self.interruption = interruption
    self.claim = claim
    self.order = order
    admission = Admission(
      slots: executor.capacity, limit: Claim(memory: executor.memory ?? .max, processors: executor.processors ?? .max))
    self.observer = observer
  }

  /// Returns when nothing is left to do, or nothing more may be done.
  package mutating func run() throws {
    admit(try graph.start())
    while true {
      let mayStart = !interruption.isRequested && (failures.isEmpty || limits.keepsGoing)
      if mayStart {
        startReady()
        try executor.flush()
      }
      if running.isEmpty && (ready.isEmpty && taken.isEmpty || !mayStart) { break }
      if interruption.isRequested, !isCancelled {
        isCancelled = true
        executor.cancel()
        recorder?.cancel()
      }
      if running.isEmpty && ready.isEmpty { tellWaiting() }
      let letters = mailbox.take(waitingAtMost: 0.2)
      for letter in letters { receive(letter) }
      // Now and then, and where a slot became free: what another runner works on comes after what nobody does.
      if letters.isEmpty || hasEnded(letters) { lookAgain() }
    }
  }

  /// Completes what is cached and what that makes known; the rest becomes ready.
  private mutating func admit(_ instances: [Instance]) {
    var failed = [(Instance, any Error)]()
    var hits = 0
    let open = graph.completeKnown(instances) { [results, observer, pipeline = graph.pipeline] instance in
      guard
        let outputs = try results.cachedOutputs(of: instance, ports: pipeline.stages[instance.stage].kind.outputs)
      else { return nil }
      hits += 1
      observer(.cached(stage: instance.name, key: instance.key))
      return outputs
    } failed: { instance, error in
      failed.append((instance, error))
    }
    cached += hits
    for (instance, error) in failed { fail(instance, error) }
    for instance in open { ready.append(instance) }
  }

  /// Results on their way to the disk at most; more would hold memory and gain nothing.
  private static let commitLimit = 64

  private mutating func startReady() {
    while admission.hasSlot, committing.count < Scheduler.commitLimit {
      guard let (instance, claim, isLate) = takeReady() else { return }
      // A program that an instance starts can't be given more threads later, so instances of one stage divide them.
      // Loops of this process get a share of all that grows when others end (see `LocalExecutor`).
      let isOneOfMany = graph.pipeline.stages[instance.stage].isFannedOut
      let sideBySide = isOneOfMany ? min(executor.capacity, admission.count + 1 + ready.count) : 1
      running[instance.key] = instance
      admission.start(instance.key, claim, isLate: isLate)
      do {
        let chosen = instance.observed == nil ? executor : recorder ?? executor
        try chosen.submit(order(instance, max(1, limits.threads / sideBySide))) {
          [mailbox, observer, key = instance.key] event in
          // Displays hear at once; what changes the graph waits for the thread of the scheduler.
          if case .event(let news) = event {
            observer(news)
          } else {
            mailbox.put(Mailbox.Letter(key: key, event: event))
          }
        }
      } catch {
        running[instance.key] = nil
        admission.end(instance.key)
        // The system has no thread for it now. It has one when another instance is done.
        guard running.isEmpty else { return ready.putBack(instance) }
        fail(instance, error)
      }
    }
  }

  /// The first instance that may start beside those that run, and whether one before it waits for room.
  private mutating func takeReady() -> (Instance, Claim, isLate: Bool)? {
    var waiting: Claim?
    var chosen = Claim()
    let instance = ready.take { [running, admission, claim] instance in
      // Two instances may have one key: the second finds the result of the first.
      guard running[instance.key] == nil else { return false }
      chosen = claim(instance)
      if admission.admits(chosen, past: waiting) { return true }
      waiting = waiting ?? chosen
      return false
    }
    guard let instance else { return nil }
    if admission.isTooLarge(chosen), told.alone.insert(instance.stage).inserted { tellAlone(instance, chosen) }
    return (instance, chosen, waiting != nil)
  }

  private func tellAlone(_ instance: Instance, _ claim: Claim) {
    let limit = admission.limit
    func gibibytes(_ bytes: Int) -> String { "\((Double(bytes) / 0x1p30).text(digits: 1)) GiB" }
    let (need, there) =
      claim.memory > limit.memory
      ? ("\(gibibytes(claim.memory)) of memory", gibibytes(limit.memory))
      : ("\(claim.processors) processors", "\(limit.processors)")
    observer(
      .notice(
        "'\(instance.name)' takes about \(need), and stages may take \(there) together: it runs alone"))
  }

  private mutating func receive(_ letter: Mailbox.Letter) {
    switch letter.event {
    case .event: preconditionFailure("events go to the observer")
    case .computed:
      committing.insert(letter.key)
      admission.end(letter.key)
    case .ended(let result):
      committing.remove(letter.key)
      admission.end(letter.key)
      guard let instance = running.removeValue(forKey: letter.key) else {
        preconditionFailure("the order \(letter.key.short) ended twice")
      }
      finish(instance, result)
    }
  }

  private mutating func finish(_ instance: Instance, _ result: Result<WorkOutcome, any Error>) {
    do {
      let outputs: [String: Artifact]
      switch try result.get() {
      case .taken:
        return taken.append(instance)
      case .executed(let made, let seconds):
        outputs = made
        executed += 1
        observer(.finished(stage: instance.name, key: instance.key, outputs: made, seconds: seconds))
      case .found(let made):
        outputs = made
        cached += 1
        observer(.cached(stage: instance.name, key: instance.key))
      case .compared: preconditionFailure("'\(instance.name)' was to be recorded")
      }
      admit(try graph.complete(instance, outputs: outputs))
    } catch is StageInterrupted where interruption.isRequested {
      observer(.interrupted(stage: instance.name))
    } catch {
      fail(instance, error)
    }
  }

  /// Whether an order came to an end by which something may have become possible.
  private func hasEnded(_ letters: [Mailbox.Letter]) -> Bool {
    letters.contains { letter in
      switch letter.event {
      case .ended(.success(.taken)), .computed, .event: false
      case .ended: true
      }
    }
  }

  /// Nothing is left to do but to wait for other runners.
  private mutating func tellWaiting() {
    for instance in taken where told.waiting.insert(instance.key).inserted {
      observer(.waiting(stage: instance.name, key: instance.key))
    }
  }

  private mutating func lookAgain() {
    for instance in taken { ready.append(instance) }
    taken = []
  }

  private mutating func fail(_ instance: Instance, _ error: any Error) {
    let message = String(describing: error)
    failures.append(RunResult.Failure(stage: instance.name, error: error, message: message))
    results.noteFailure(of: instance.key, message)
    observer(.failed(stage: instance.name, key: instance.key, message: message))
  }
}
