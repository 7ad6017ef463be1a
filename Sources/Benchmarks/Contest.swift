import Determinism
import Foundation
import Tensors

/// Runs the sides of a case in turns, so that whatever disturbs the machine hits all of them.
struct Contest {
  let peers: Peers
  let isQuick: Bool

  struct Failure: Error, CustomStringConvertible { let description: String }
  /// A case that cannot run here.
  struct Skip: Error, CustomStringConvertible { let description: String }

  /// One side: costs of calls that fill a span of time, at least one.
  private struct Side {
    var costs: [Double] = []
    let run: (_ seconds: Double) throws -> [Double]
  }

  /// The case, and where it compares memory, that too.
  func measure(_ item: Case, threads: Int) throws -> [Measurement] {
    let run = try item.make()
    var digest: Digest?
    func ours(_ threads: Int, _ seconds: Double) throws -> [Double] {
      let (costs, outcome) = try Contest.calls(of: run, threads: threads, seconds: seconds)
      if let before = digest, before != outcome.digest {
        throw Failure(description: "\(item.name): two calls computed different results")
      }
      digest = outcome.digest
      return costs
    }
    let first = try ours(threads, 0)[0]

    var sides = [Side { try ours(threads, $0) }]
    var notes: [String?] = []
    var present: [Opponent] = []
    var peak: Double?
    for opponent in item.opponents {
      switch opponent.kind {
      case .ourselves(let other):
        if other == threads { continue }
        sides.append(Side { try ours(other, $0) })
        notes.append(nil)
      case .rival:
        guard let rival = run.rival else { continue }
        sides.append(Side { Contest.calls(of: rival, threads: threads, seconds: $0) })
        notes.append(nil)
      case .allowance:
        guard let allowance = run.allowance else { continue }
        sides.append(Side { _ in [allowance()] })
        notes.append(nil)
      case .script(let script, let request):
        guard let peer = try peers.peer(script, of: opponent.name) else { continue }
        let reply = try peer.prepare(request, threads: threads)
        if let mine = run.value?(), let value = reply.value, abs(mine - value) > 1e-9 {
          throw Failure(description: "\(item.name): we find \(mine), \(opponent.name) finds \(value)")
        }
        notes.append(reply.note)
        sides.append(
          Side {
            let reply = try peer.run(request, threads: threads, seconds: $0)
            peak = peak ?? reply.peak
            return reply.times ?? []
          })
      }
      present.append(opponent)
    }

    let rounds = item.rounds ?? (isQuick ? 3 : 9)
    let span = first > 0.3 ? 0 : isQuick ? 0.02 : 0.05
    for _ in 0..<rounds {
      for i in sides.indices {
        sides[i].costs += try sides[i].run(span)
        // Other runtimes keep their threads awake for a while after their last loop.
        Thread.sleep(forTimeInterval: 0.03)
      }
    }
    for opponent in present {
      if case .script(let script, _) = opponent.kind { try peers.peer(script, of: opponent.name)?.forget() }
    }
    let theirs = zip(zip(present, notes), sides.dropFirst()).map { pair, side in
      Measurement.Theirs(opponent: pair.0, note: pair.1, costs: side.costs.sorted())
    }
    let times = Measurement(
      item: item, threads: threads, ours: sides[0].costs.sorted(), theirs: theirs, digest: digest)
    guard let memory = item.memory else { return [times] }
    return [times, try compare(memory, of: item, peak: peak, threads: threads)]
  }

  /// - Parameter peak: of the first opponent that tells one.
  private func compare(_ memory: Memory, of item: Case, peak: Double?, threads: Int) throws -> Measurement {
    let opponent = Opponent(name: "torch eager", kind: .rival, row: Row(name: memory.name, target: 1))
    let theirs = peak.map { Measurement.Theirs(opponent: opponent, note: nil, costs: [$0]) }
    let derived = Case(memory.name, item.shape, .memory) { Run { .tensors([]) } }
    return Measurement(
      item: derived, threads: threads, ours: [try memory.measured(threads: threads)],
      theirs: theirs.map { [$0] } ?? [], digest: nil)
  }

  private static func calls(of run: Run, threads: Int, seconds: Double) throws -> ([Double], Outcome) {
    try Parallel.withThreads(threads) {
      var costs: [Double] = []
      var total = 0.0
      while true {
        try run.prepare()
        var result: Outcome?
        var cost = try time { result = try run.body() }
        if case .measured(let own, _) = result! { cost = own }
        costs.append(cost)
        total += cost
        if total >= seconds { return (costs, result!) }
      }
    }
  }

  private static func calls(of rival: (Int) -> Void, threads: Int, seconds: Double) -> [Double] {
    var costs: [Double] = []
    var total = 0.0
    repeat {
      costs.append(time { rival(threads) })
      total += costs.last!
    } while total < seconds
    return costs
  }

  static func time(_ body: () throws -> Void) rethrows -> Double {
    let time = try ContinuousClock().measure(body)
    return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
  }
}
