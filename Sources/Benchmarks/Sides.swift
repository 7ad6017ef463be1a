import Determinism

/// This engine in a contest. All its calls must compute the same.
final class OurSide {
  let name: String
  let run: Run
  let threads: Int
  private(set) var digest: Digest?

  init(name: String, run: Run, threads: Int) {
    self.name = name
    self.run = run
    self.threads = threads
  }

  /// Costs of calls that fill a span of time, at least one.
  func calls(seconds: Double, threads other: Int? = nil) throws -> [Double] {
    try Parallel.withThreads(other ?? threads) {
      var costs: [Double] = []
      var total = 0.0
      while true {
        try run.prepare()
        var result: Outcome?
        let wall = try Contest.time { result = try run.body() }
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
      throw Contest.Failure(description: "\(name): two calls computed different results")
    }
    digest = found
  }
}

/// An opponent, ready to take turns with us.
struct TheirSide {
  private let opponent: Opponent
  private var note: String?
  /// The peak resident size of its process, where it tells one.
  private(set) var peak: Double?
  private var costs: [Double] = []
  private var peer: Peer?
  private let call: (_ seconds: Double) throws -> Peer.Reply

  /// Nil where the opponent is not at hand.
  init?(_ opponent: Opponent, of ours: OurSide, _ peers: Peers) throws {
    self.opponent = opponent
    let threads = ours.threads
    switch opponent.kind {
    case .ourselves(let other):
      if other == threads { return nil }
      call = { Peer.Reply(times: try ours.calls(seconds: $0, threads: other)) }
    case .rival:
      guard let rival = ours.run.rival else { return nil }
      call = { Peer.Reply(times: TheirSide.calls(of: { rival(threads) }, seconds: $0)) }
    case .allowance:
      guard let allowance = ours.run.allowance else { return nil }
      call = { _ in Peer.Reply(times: [Parallel.withThreads(threads) { allowance() }]) }
    case .script(let script, let request):
      guard let peer = try peers.peer(script, of: opponent.name) else { return nil }
      let reply = try peer.prepare(request, threads: threads)
      if let mine = ours.run.value?(), let value = reply.value, abs(mine - value) > 1e-9 {
        throw Contest.Failure(description: "\(ours.name): we find \(mine), \(opponent.name) finds \(value)")
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

  var measured: Measurement.Theirs { .init(opponent: opponent, note: note, costs: costs.sorted()) }

  private static func calls(of body: () -> Void, seconds: Double) -> [Double] {
    var costs: [Double] = []
    var total = 0.0
    repeat {
      costs.append(Contest.time(body))
      total += costs.last!
    } while total < seconds
    return costs
  }
}
