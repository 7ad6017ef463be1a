import ArtifactStore
import Determinism
import PipelineModel
import PipelineRunner
import Synchronization

/// Executes the orders of one element of a wave, one after the other, and leaves a letter for each.
public final class WaveWorker: Sendable {
  /// Which attempt at which element this is, and where.
  public struct Place: Sendable {
    public var index: Int
    /// Earlier attempts that the cluster started again under the same number.
    public var attempt: Int
    public var node: String

    public init(index: Int, attempt: Int, node: String) {
      self.index = index
      self.attempt = attempt
      self.node = node
    }
  }

  /// How an element ended.
  public enum End: Sendable {
    case done
    /// A stage failed; its letter says why.
    case failed
    /// It was asked to stop; whether anything was done that the next attempt need not do again.
    case interrupted(advanced: Bool)
  }

  private let wave: Wave
  private let place: Place
  private let worker: Worker
  private let threads: Int
  private let environment: [String: CanonicalValue]
  private let observer: @Sendable (RunEvent) -> Void
  private let clock = ContinuousClock()

  private struct Progress {
    var lastBeat: ContinuousClock.Instant?
    var hasAdvanced = false
  }
  private let progress = Mutex(Progress())

  /// - Parameters:
  ///   - threads: that each order may use here.
  ///   - environment: of this machine, for records.
  ///   - observer: takes what happens, for the log of the job.
  public init(
    wave: Wave, place: Place, worker: Worker, threads: Int, environment: [String: CanonicalValue] = [:],
    observer: @escaping @Sendable (RunEvent) -> Void
  ) {
    self.wave = wave
    self.place = place
    self.worker = worker
    self.threads = threads
    self.environment = environment
    self.observer = observer
  }

  /// - Throws: where the element can't be read, or a letter not be written.
  public func run() throws -> End {
    let orders = try wave.orders(of: place.index).map { order in
      var order = order
      order.allowance.threads = threads
      // What the runner wrote is true of its own machine.
      order.environment = .object((order.environment.objectValue ?? [:]).merging(environment) { _, here in here })
      return order
    }
    return worker.team.isLeader ? try lead(orders) : assist(orders)
  }

  private func lead(_ orders: [WorkOrder]) throws -> End {
    defer { worker.dismissTeam() }
    var end = End.done
    for (number, order) in orders.enumerated() {
      let letter = try perform(order)
      try write(letter, number: number)
      switch letter.end {
      case .recorded, .compared: progress.withLock { $0.hasAdvanced = true }
      case .interrupted: return .interrupted(advanced: progress.withLock(\.hasAdvanced))
      case .failed, .lost: end = .failed
      }
      // Without its team this process can't go on; orders without a letter are given out again.
      if worker.team.failure != nil { return .failed }
    }
    return end
  }

  /// Does a share of what the leader does; all that is to be told is told by the leader.
  private func assist(_ orders: [WorkOrder]) -> End {
    do {
      try onDeepStack { [worker] in try worker.assist(orders) }
      return .done
    } catch {
      return worker.interruption.isRequested ? .interrupted(advanced: false) : .failed
    }
  }

  private func perform(_ order: WorkOrder) throws -> Letter {
    beat(Beat(stage: order.stage, node: place.node, attempt: place.attempt), always: true)
    let result = Mutex<Result<WorkOutcome, any Error>?>(nil)
    try onDeepStack { [self] in
      worker.run(order) { [self] event in
        switch event {
        case .event(let event): note(event)
        case .computed: break
        case .ended(let ended): result.withLock { $0 = ended }
        }
      }
    }
    guard let result = result.withLock({ $0 }) else {
      preconditionFailure("\(order.stage): the worker reported no end")
    }
    return Letter(key: order.key, end: end(result, of: order), node: place.node)
  }

  private func end(_ result: Result<WorkOutcome, any Error>, of order: WorkOrder) -> Letter.End {
    switch result {
    case .success(.executed(let outputs, let seconds)):
      observer(.finished(stage: order.stage, key: order.key, outputs: outputs, seconds: seconds))
      return .recorded(seconds: seconds, wasThere: false)
    case .success(.found):
      observer(.cached(stage: order.stage, key: order.key))
      return .recorded(seconds: 0, wasThere: true)
    case .success(.compared(let report)):
      observer(.finished(stage: order.stage, key: order.key, outputs: report.outputs, seconds: report.seconds))
      return .compared(report.canonical)
    case .success(.taken): preconditionFailure("\(order.stage): the worker waits for others")
    case .failure(let error):
      let message = String(describing: error)
      if error is StageInterrupted, worker.interruption.isRequested {
        observer(.interrupted(stage: order.stage))
        return .interrupted
      }
      observer(.failed(stage: order.stage, key: order.key, message: message))
      let code = (error as? PipelineError)?.code.description ?? (error as? TeamFailure)?.code
      if let code, WaveWorker.codesOfTheMachine.contains(code) { return .lost(message: message) }
      return .failed(message: message, isUserData: (error as? any DiagnosableError)?.isUserData ?? false)
    }
  }

  /// Where another node, or the same one later, may do what failed here.
  private static let codesOfTheMachine = Set(
    [PipelineError.Code.io, .diskFull, .busy, .staleFile, .leaseLost].map(\.description))

  private func write(_ letter: Letter, number: Int) throws {
    let name = Letter.name(element: place.index, place: number, attempt: place.attempt)
    try FileIO.publish(letter.canonical.canonicalBytes, to: "\(wave.lettersFolder)/\(name)")
  }

  private func note(_ event: RunEvent) {
    observer(event)
    switch event {
    case .progress(let stage, let step, let total, let unit, let detail):
      beat(
        Beat(
          stage: stage, node: place.node, attempt: place.attempt, step: step, of: total, unit: unit, detail: detail))
    case .checkpoint: progress.withLock { $0.hasAdvanced = true }
    default: break
    }
  }

  /// Seconds between two beats: many workers share the file system.
  private static let beatInterval = 5.0

  /// A beat that can't be written is dropped: nothing depends on it but displays.
  private func beat(_ beat: Beat, always: Bool = false) {
    let now = clock.now
    let isDue = progress.withLock { state in
      if !always, let last = state.lastBeat, (now - last) / .seconds(1) < WaveWorker.beatInterval { return false }
      state.lastBeat = now
      return true
    }
    guard isDue else { return }
    let path = "\(wave.beatsFolder)/\(place.index)"
    try? Files.write(beat.canonical.canonicalBytes, to: path + "~")
    try? Files.rename(path + "~", to: path)
  }
}
