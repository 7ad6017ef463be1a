import CMPI
import Determinism
import Foundation

/// The thread that makes all calls of MPI: it starts transfers, moves them on, and watches over the others.
///
/// Each member sends heart beats to the next one, the last to the first. A process that was stopped, or a machine that went
/// away without a word, sends none; its successor then ends the whole team, so that whoever started it can do so again.
final class MPIEngine: @unchecked Sendable {
  // Invariant: `rank` and `size` are set before `start` returns; everything else mutable is touched under `condition`, or by
  // the engine's thread alone where it says so.
  private(set) var rank = 0
  private(set) var size = 1

  private let condition = NSCondition()
  private var pending: [MPITransfer] = []
  private var outgoing: [Notice] = []
  private var guest: (@Sendable () -> Void)?
  private var failure: TeamFailure?
  private var leaderIsDone = false
  private var waiters = 0
  private var isFinishing = false
  private var isFinished = false
  private var startError: MessagePassingError?
  private var isStarted = false

  private let silence: Double
  private let lost: @Sendable (String) -> Void

  /// What members tell each other beside their work.
  enum Notice {
    case failure(TeamFailure)
    /// From the leader: nothing more is to be done after a failure.
    case over
  }

  init(silence: Double, lost: @escaping @Sendable (String) -> Void) {
    self.silence = silence
    self.lost = lost
  }

  func start(libraries: [String]) throws {
    try startThread(named: "mpi") { self.run(libraries) }
    try condition.withLock {
      while !isStarted { condition.wait() }
      if let startError { throw startError }
    }
  }

  func start(sends: [TeamMessage], receipts: [TeamMessage]) -> MPITransfer {
    let transfer = MPITransfer(self, sends: sends, receipts: receipts)
    condition.withLock {
      pending.append(transfer)
      condition.broadcast()
    }
    return transfer
  }

  func wait(for transfer: MPITransfer) throws {
    try condition.withLock {
      waiters += 1
      defer { waiters -= 1 }
      condition.broadcast()
      while !transfer.hasEnded {
        if let failure { throw failure }
        condition.wait()
      }
    }
  }

  func fail(_ failure: TeamFailure) {
    condition.withLock {
      if self.failure == nil {
        self.failure = failure
        outgoing.append(.failure(failure))
      }
      condition.broadcast()
    }
  }

  var knownFailure: TeamFailure? { condition.withLock { failure } }

  /// Of a team that failed: the leader lets the others go, and the others wait for that.
  func awaitLeader() {
    condition.withLock {
      if rank == 0 {
        outgoing.append(.over)
        condition.broadcast()
      } else {
        while !leaderIsDone { condition.wait() }
      }
    }
  }

  /// Calls `body` on the engine's thread and waits for it.
  func perform(_ body: @escaping @Sendable () -> Void) {
    condition.withLock {
      guest = body
      condition.broadcast()
      while guest != nil { condition.wait() }
    }
  }

  /// Ends MPI, after a last word to the others.
  func finish() {
    condition.withLock {
      isFinishing = true
      condition.broadcast()
      while !isFinished { condition.wait() }
    }
  }

  // MARK: The engine's thread

  private func run(_ libraries: [String]) {
    let error = load(libraries)
    condition.withLock {
      startError = error
      isStarted = true
      condition.broadcast()
    }
    guard error == nil, size > 1 else { return }
    let watch = MPIWatch(rank: rank, size: size, silence: silence)
    var active: [MPITransfer] = []
    var quickUntil = ContinuousClock.now
    while true {
      let news = take(mayRest: active.isEmpty)
      for transfer in news.transfers { transfer.post() }
      active += news.transfers
      for notice in news.notices { watch.send(notice) }
      serveGuest()
      let count = active.count
      active = end(active)
      if !news.transfers.isEmpty || active.count < count { quickUntil = .now + .milliseconds(200) }
      watch.receive().forEach(take)
      if let sentence = watch.lostMember() {
        lost(sentence)
        cmpi_kill_all(MPIEngine.lostCode)
      }
      if news.isFinishing, watch.hasSentAll { break }
      // Whoever waits for others sees at once what arrives; threads that compute need the processor.
      if !active.isEmpty { if news.isWaitedFor && .now < quickUntil { sched_yield() } else { usleep(50) } }
    }
    watch.end()
    _ = cmpi_finish()
    condition.withLock {
      isFinished = true
      condition.broadcast()
    }
  }

  /// The exit code when a member is lost: something outside went wrong, and another try may succeed (EX_TEMPFAIL).
  private static let lostCode: Int32 = 75

  private func load(_ libraries: [String]) -> MessagePassingError? {
    var reasons = [String]()
    for library in libraries {
      var reason = [CChar](repeating: 0, count: 300)
      if cmpi_open(library, &reason, reason.count) == 0 {
        var (rank, size): (Int32, Int32) = (0, 1)
        let code = cmpi_start(&rank, &size)
        guard code == 0 else { return MessagePassingError("\(library): MPI does not start (code \(code))") }
        condition.withLock { (self.rank, self.size) = (Int(rank), Int(size)) }
        return nil
      }
      let text = reason.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
      reasons.append(text.contains(library) ? text : "\(library): \(text)")
    }
    return MessagePassingError(
      "this is one of several processes, but no MPI can be loaded (\(reasons.joined(separator: "; "))). "
        + "AUTOPANOPTIC_MPI=/path/to/libmpi.so names the library")
  }

  /// What other threads want; where there is nothing to do it waits for that a moment.
  private func take(
    mayRest: Bool
  ) -> (transfers: [MPITransfer], notices: [Notice], isWaitedFor: Bool, isFinishing: Bool) {
    condition.withLock {
      if mayRest, pending.isEmpty, outgoing.isEmpty, guest == nil, !isFinishing {
        _ = condition.wait(until: Date(timeIntervalSinceNow: 0.02))
      }
      defer { (pending, outgoing) = ([], []) }
      return (pending, outgoing, waiters > 0, isFinishing)
    }
  }

  private func serveGuest() {
    guard let guest = condition.withLock({ guest }) else { return }
    guest()
    condition.withLock {
      self.guest = nil
      condition.broadcast()
    }
  }

  /// Moves transfers on.
  /// - Returns: those that have not ended.
  private func end(_ active: [MPITransfer]) -> [MPITransfer] {
    var left: [MPITransfer] = []
    var ended: [MPITransfer] = []
    for transfer in active { if transfer.isDone() { ended.append(transfer) } else { left.append(transfer) } }
    if !ended.isEmpty {
      condition.withLock {
        for transfer in ended { transfer.hasEnded = true }
        condition.broadcast()
      }
    }
    return left
  }

  private func take(_ notice: Notice) {
    condition.withLock {
      switch notice {
      case .failure(let failure): if self.failure == nil { self.failure = failure }
      case .over: leaderIsDone = true
      }
      condition.broadcast()
    }
  }
}
