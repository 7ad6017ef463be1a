import ArtifactStore
import Determinism
import Foundation
import PipelineModel
import PipelineRunner
import Synchronization

/// Keeps track of orders in waves: submits them, follows them, and reports how they end. Used by one thread.
final class WaveDesk {
  /// An order that somebody waits for.
  struct Work {
    let order: WorkOrder
    let report: @Sendable (WorkEvent) -> Void
    /// Attempts so far.
    var tries = 0
    /// Which of the amounts of memory that its stage names it gets.
    var memoryStep = 0
  }

  /// Where an order is.
  struct Placed {
    var work: Work
    let wave: Wave
    let index: Int
    let place: Int
    var attempt = Attempt()
    var letters: [Letter.End] = []
    var job = ""
    var hasStarted = false
  }

  let store: Store
  let settings: SlurmSettings
  let cluster: any Cluster
  let notice: @Sendable (String) -> Void
  let program: String
  let digest: Digest
  let clock = ContinuousClock()

  var open: [Digest: Placed] = [:]
  let count = Mutex(0)
  /// Letters that were read, by wave.
  var seen: [Wave: Set<String>] = [:]
  /// Jobs of earlier runners that live, by key; nil before the queue was asked.
  var living: [Digest: (wave: Wave, index: Int, place: Int, purpose: WorkOrder.Purpose)]?
  var arrayLimit: Int?
  var number = 0
  var hasSeenLetter = false
  /// Attempts that ended without any letter before there was a first one.
  var deaths = 0
  var silentSince: ContinuousClock.Instant?
  var hasComplained = false
  /// Beats that there are, by wave: a name that is looked up too early stays hidden for a while on network file systems.
  var beatNames: [Wave: Set<String>] = [:]
  /// Requested when the runner is to stop.
  let stopping = Interruption()
  /// Looks in a row at which an element of which nothing is left to do lived on.
  var lingering: [Queue.Element: Int] = [:]

  init(
    store: Store, settings: SlurmSettings, cluster: any Cluster, notice: @escaping @Sendable (String) -> Void
  ) throws {
    self.store = store
    self.settings = settings
    self.cluster = cluster
    self.notice = notice
    program = settings.program ?? (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    guard !program.isEmpty else {
      throw PipelineError(.io, "the path of this program is not known; name it: 'program'")
    }
    try store.share()
    guard let digest = ProgramIdentity.of(program) else { throw PipelineError(.io, "\(program): cannot be read") }
    self.digest = digest
  }

  /// Orders that somebody waits for; for any thread.
  var openCount: Int { count.withLock { $0 } }

  func add(_ placed: Placed) {
    open[placed.work.order.key] = placed
    count.withLock { $0 = open.count }
    placed.work.report(
      .event(
        .submitted(
          stage: placed.work.order.stage, key: placed.work.order.key, job: placed.wave.jobName,
          log: placed.wave.logPath(placed.index))))
  }

  func end(_ work: Work, _ result: Result<WorkOutcome, any Error>) {
    open[work.order.key] = nil
    count.withLock { $0 = open.count }
    work.report(.ended(result))
  }
}
