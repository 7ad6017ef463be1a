import Determinism
import Synchronization

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Slurm

/// A cluster without processes: it executes an array as soon as it is submitted, or does what a script of the test says.
final class FakeCluster: Cluster {
  /// What becomes of an element.
  enum Fate: Sendable {
    case works
    /// Ends without a letter, and is shown with a state; nil for not at all.
    case dies(String?)
    /// Runs for so many looks at the queue before it works.
    case takes(looks: Int)
  }

  /// What becomes of a submission.
  enum Reply: Sendable {
    case taken
    case takenButFails(String)
    case refused(String)
  }

  private struct Job {
    let wave: Wave
    let index: Int
    var fate: Fate
    var state: String
  }

  private struct State {
    var jobs: [String: Job] = [:]
    var number = 100
    var scripts: [String] = []
    var cancelled: [String] = []
    var silences = 0
  }

  private let bench: (path: String, registry: StageRegistry)
  private let limit: Int
  private let reply: @Sendable (_ submission: Int) -> Reply
  private let fate: @Sendable (_ stage: String, _ attempt: Int) -> Fate
  private let attempts = Mutex<[String: Int]>([:])
  private let state = Mutex(State())

  /// - Parameters:
  ///   - fate: of a stage at its attempt, from 0.
  ///   - silences: looks at the queue that get no answer.
  init(
    _ bench: Bench, limit: Int = 1001, silences: Int = 0,
    fate: @escaping @Sendable (String, Int) -> Fate = { _, _ in .works },
    reply: @escaping @Sendable (Int) -> Reply = { _ in .taken }
  ) {
    self.bench = (bench.storePath, bench.registry)
    self.limit = limit
    self.reply = reply
    self.fate = fate
    state.withLock { $0.silences = silences }
  }

  var scripts: [String] { state.withLock { $0.scripts } }
  var cancelled: [String] { state.withLock { $0.cancelled } }

  func arrayLimit() -> Int { limit }
  func pause(seconds: Double) {}
  func lackedMemory(_ job: String) -> Bool { true }

  func cancel(_ jobs: [String]) {
    state.withLock { state in
      state.cancelled += jobs
      for job in jobs { state.jobs[job]?.state = "CANCELLED" }
    }
  }

  func submit(script: String) throws -> String? {
    let text = String(decoding: try Files.read(script), as: UTF8.self)
    let number = state.withLock { state in
      state.scripts.append(text)
      return state.scripts.count - 1
    }
    switch reply(number) {
    case .refused(let words): return words
    case .takenButFails(let words):
      try take(script)
      return words
    case .taken:
      try take(script)
      return nil
    }
  }

  private func take(_ script: String) throws {
    let name = script.splitBytes(at: UInt8(ascii: "/")).dropLast().last!
    let wave = Wave(store: bench.path, name: name)
    let array = state.withLock { state in
      state.number += 1
      return state.number
    }
    for (index, orders) in try wave.orders().enumerated() {
      let stage = orders[0].stage
      let attempt = attempts.withLock { attempts in
        defer { attempts[stage, default: 0] += 1 }
        return attempts[stage, default: 0]
      }
      let fate = fate(stage, attempt)
      var ended = "COMPLETED"
      switch fate {
      case .works: try work(wave, index)
      case .dies(let state): ended = state ?? "GONE"
      case .takes: ended = "RUNNING"
      }
      state.withLock { $0.jobs["\(array)_\(index)"] = Job(wave: wave, index: index, fate: fate, state: ended) }
    }
  }

  private func work(_ wave: Wave, _ index: Int) throws {
    let worker = Worker(store: try Store(path: bench.path, registry: bench.registry))
    _ = try WaveWorker(
      wave: wave, place: .init(index: index, attempt: 0, node: "n1"), worker: worker, threads: 1, observer: { _ in }
    ).run()
  }

  func queue(of store: String) throws -> (queue: Queue?, complaint: String) {
    if state.withLock({ state in
      state.silences -= 1
      return state.silences >= 0
    }) {
      return (nil, "Unable to contact slurm controller")
    }
    for (id, job) in state.withLock({ $0.jobs }) {
      guard case .takes(let looks) = job.fate, job.state == "RUNNING" else { continue }
      if looks > 0 {
        state.withLock { $0.jobs[id]!.fate = .takes(looks: looks - 1) }
      } else {
        try work(job.wave, job.index)
        state.withLock { $0.jobs[id]!.state = "COMPLETED" }
      }
    }
    let lines = state.withLock { $0.jobs }.filter { $0.value.state != "GONE" }
      .map { "\($0.value.wave.jobName)|\($0.key)|\($0.value.state)|None" }
    return (Queue(text: lines.joined(separator: "\n"), store: store), "")
  }
}
