import Testing

@testable import PipelineModel

@Suite("When a checkpoint is saved, without clocks")
struct CheckpointPolicyTests {
  /// The times at which checkpoints are saved that take `cost` seconds each, in `hours` of steps of a second.
  private func saves(cost: Double, interval: Double? = nil, hours: Double = 2) -> [Double] {
    var policy = CheckpointPolicy(interval: interval, start: 0)
    var (now, times) = (0.0, [Double]())
    while now < hours * 3600 {
      now += 1
      guard policy.isDue(at: now) else { continue }
      times.append(now)
      policy.saved(from: now, to: now + cost)
      now += cost
    }
    return times
  }

  @Test(
    "saving costs at most a hundredth of the time, where that leaves one every ten minutes", arguments: [0, 0.5, 1, 4])
  func share(_ cost: Double) {
    let times = saves(cost: cost)
    #expect(Double(times.count) * cost <= 0.01 * 7200 + cost, "\(times.count) saves")
    #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 <= 600 + cost + 1 })
  }

  @Test("one is saved every ten minutes, whatever it costs", arguments: [7.0, 60, 300])
  func rare(_ cost: Double) {
    let times = saves(cost: cost)
    #expect(times.count >= 7200 / Int(601 + cost) - 1)
    #expect(zip(times, times.dropFirst()).allSatisfy { abs($1 - $0 - 600 - cost) <= 1 })
  }

  @Test("cheap ones are saved once a minute, the first after a minute")
  func cheap() {
    let times = saves(cost: 0.001)
    #expect(times.first == 60 && times.count >= 118 && times.count <= 120, "\(times.count)")
  }

  @Test("a disk that was slow once is forgiven after some")
  func slowOnce() {
    var policy = CheckpointPolicy(interval: nil, start: 0)
    policy.saved(from: 60, to: 66)
    #expect(policy.interval == 600)
    for i in 1...4 { policy.saved(from: Double(i) * 1000, to: Double(i) * 1000) }
    #expect(policy.interval == 60)
  }

  @Test("an interval that the user sets stays as it is; 0 saves after every step")
  func fixed() {
    #expect(saves(cost: 5, interval: 0, hours: 0.01).count == 6)
    #expect(saves(cost: 0, interval: 20, hours: 0.1).prefix(3) == [20, 40, 60])
  }
}
