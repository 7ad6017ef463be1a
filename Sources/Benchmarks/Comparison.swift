import Foundation

/// Measures the sides of a case in turns, so that disturbances of the machine affect all of them.
struct Comparison {
  let peers: Peers
  let isQuick: Bool

  struct Failure: Error, CustomStringConvertible { let description: String }
  /// A case that cannot run here.
  struct Skip: Error, CustomStringConvertible { let description: String }

  /// Measures the time of a case and, where it compares memory, the memory.
  func measure(_ item: Case, threads: Int) throws -> [Measurement] {
    let ours = EngineSide(name: item.name, run: try item.make(), threads: threads)
    let first = try ours.calls(seconds: 0)[0]
    var theirs = try item.baselines.compactMap { try BaselineSide($0, of: ours, peers) }

    let rounds = isQuick ? min(3, item.rounds ?? 3) : item.rounds ?? 9
    let span = first > 0.3 ? 0 : isQuick ? 0.02 : 0.03
    var costs: [Double] = []
    for _ in 0..<rounds {
      costs += try ours.calls(seconds: span)
      for i in theirs.indices {
        try theirs[i].take(seconds: span)
        // Other runtimes keep their threads spinning for a while after their last loop.
        Thread.sleep(forTimeInterval: 0.03)
      }
    }
    for side in theirs { try side.end() }
    let times = Measurement(
      item: item, threads: threads, ours: costs.sorted(), theirs: theirs.map(\.measured), digest: ours.digest)
    guard let memory = item.memory else { return [times] }
    let peak = theirs.lazy.compactMap(\.peak).first
    return [times, try compare(memory, of: item, peak: peak, threads: threads)]
  }

  /// - Parameter peak: the peak memory of the first baseline that reports one.
  private func compare(_ memory: Memory, of item: Case, peak: Double?, threads: Int) throws -> Measurement {
    let baseline = Baseline(name: "torch eager", kind: .alternative, row: TargetRow(name: memory.name, target: 1))
    let theirs = peak.map { Measurement.Theirs(baseline: baseline, note: nil, costs: [$0]) }
    let derived = Case(memory.name, item.shape, .memory) { Run { .tensors([]) } }
    return Measurement(
      item: derived, threads: threads, ours: [try memory.measured(threads: threads)],
      theirs: theirs.map { [$0] } ?? [], digest: nil)
  }

  static func time(_ body: () throws -> Void) rethrows -> Double {
    let time = try ContinuousClock().measure(body)
    return Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18
  }
}
