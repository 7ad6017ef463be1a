import Determinism

/// This engine's side of a comparison. All its calls must compute the same.
final class EngineSide {
  let name: String
  let run: Run
  let threads: Int
  private(set) var digest: Digest?

  init(name: String, run: Run, threads: Int) {
    self.name = name
    self.run = run
    self.threads = threads
  }

  /// The costs of calls that take at least so many seconds together.
  func calls(seconds: Double, threads other: Int? = nil) throws -> [Double] {
    try Parallel.withThreads(other ?? threads) {
      var costs: [Double] = []
      var total = 0.0
      while true {
        try run.prepare()
        var result: Outcome?
        let wall = try Comparison.time { result = try run.body() }
        total += wall
        if case .measured(let own, _) = result! { costs.append(own) } else { costs.append(wall) }
        if total >= seconds {
          try check(result!.digest)
          return costs
        }
      }
    }
  }

  private func check(_ found: Digest?) throws {
    if let digest, digest != found {
      throw Comparison.Failure(description: "\(name): two calls computed different results")
    }
    digest = found
  }
}

/// A baseline's side of a comparison.
struct BaselineSide {
  private let baseline: Baseline
  private var note: String?
  /// The peak resident size of its process; nil where it reports none.
  private(set) var peak: Double?
  private var costs: [Double] = []
  private var peer: Peer?
  private let call: (_ seconds: Double) throws -> Peer.Reply

  /// Nil where the baseline is not available.
  init?(_ baseline: Baseline, of ours: EngineSide, _ peers: Peers) throws {
    self.baseline = baseline
    let threads = ours.threads
    switch baseline.kind {
    case .engine(let other):
      if other == threads { return nil }
      call = { Peer.Reply(times: try ours.calls(seconds: $0, threads: other)) }
    case .alternative:
      guard let alternative = ours.run.alternative else { return nil }
      call = { Peer.Reply(times: BaselineSide.calls(of: { alternative(threads) }, seconds: $0)) }
    case .allowance:
      guard let allowance = ours.run.allowance else { return nil }
      call = { _ in Peer.Reply(times: [Parallel.withThreads(threads) { allowance() }]) }
    case .script(let script, let request):
      guard let peer = try peers.peer(script, of: baseline.name) else { return nil }
      let reply = try peer.prepare(request, threads: threads)
      if let mine = ours.run.value?(), let value = reply.value, abs(mine - value) > 1e-9 {
        throw Comparison.Failure(
          description: "\(ours.name): this engine computes \(mine), \(baseline.name) computes \(value)")
      }
      note = reply.note
      self.peer = peer
      call = { try peer.run(request, threads: threads, seconds: $0) }
    }
  }

  mutating func take(seconds: Double) throws {
    let reply = try call(seconds)
    costs += reply.times ?? []
    peak = peak ?? reply.peak
  }

  func end() throws { try peer?.forget() }

  var measured: Measurement.Theirs { .init(baseline: baseline, note: note, costs: costs.sorted()) }

  private static func calls(of body: () -> Void, seconds: Double) -> [Double] {
    var costs: [Double] = []
    var total = 0.0
    repeat {
      costs.append(Comparison.time(body))
      total += costs.last!
    } while total < seconds
    return costs
  }
}
