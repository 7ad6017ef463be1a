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
  /// The build that nodes must have; nil where the program can't be read here.
  let digest: Digest?
  let clock = ContinuousClock()

  var open: [Digest: Placed] = [:]
  let count = Mutex(0)
  /// Letters that were read, by wave.
  var seen: [Wave: Set<String>] = [:]
  /// Orders that were lost at this look and get another attempt.
  var lost: [Work] = []
  /// Jobs of other runners that live, by key.
  var living: [Digest: (wave: Wave, index: Int, place: Int, purpose: WorkOrder.Purpose)] = [:]
  /// Waves that were looked at, or are of this runner.
  var examined: Set<Wave> = []
  /// Orders of each wave of this runner that have not ended. What others submitted is theirs to end.
  var remaining: [Wave: Int] = [:]
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
    program =
      settings.cluster.program ?? (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    guard !program.isEmpty else {
      throw PipelineError(.io, "the path of this program is not known; name it: 'program'")
    }
    // Slurm has signs of its own in names of logs.
    guard store.path.isPlainShellWord else {
      throw PipelineError(
        .badValue,
        "\(store.path): Slurm takes only letters, digits and -_./=:,+@ in the path of a store; choose another with --store"
      )
    }
    try store.share()
    digest = ProgramIdentity.of(program)
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
    close(work.order.key)
    work.report(.ended(result))
  }

  /// Forgets an order. A wave of which nothing is left has ended: that is noted before anybody hears of the last order,
  /// since the program may end then.
  func close(_ key: Digest) {
    guard let placed = open.removeValue(forKey: key) else { return }
    count.withLock { $0 = open.count }
    guard !stopping.isRequested else { return }
    if let left = remaining[placed.wave] {
      remaining[placed.wave] = left - 1
      if left == 1 { try? placed.wave.end() }
    } else if !open.values.contains(where: { $0.wave == placed.wave }) {
      endIfRecorded(placed.wave)
    }
  }

  /// Ends a wave of another runner, where all that it is for is there.
  private func endIfRecorded(_ wave: Wave) {
    guard let orders = try? wave.orders().joined(), orders.allSatisfy({ (try? store.outputs(of: $0.key)) != nil })
    else { return }
    try? wave.end()
  }
}
