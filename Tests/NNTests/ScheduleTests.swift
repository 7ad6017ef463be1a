import NN
import Testing

@Suite("Schedule")
struct ScheduleTests {
  @Test("a linear schedule reaches zero after the last iteration")
  func linear() {
    let schedule = Schedule(.linear, base: 0.5, total: 300_000)
    #expect(schedule.rate(at: 0) == 0.5)
    #expect(schedule.rate(at: 150_000) == 0.25)
    #expect(schedule.rate(at: 300_000) == 0)
  }

  @Test("a step schedule warms up linearly and divides by ten at each milestone")
  func step() {
    // The schedule of retraining on COCO (method 8.1).
    let schedule = Schedule(.step, base: 0.02, total: 90_000, warmup: 500, milestones: [60_000, 80_000])
    let expected: [(Int, Double)] = [
      (0, 0.002), (250, 0.011), (500, 0.02), (59_999, 0.02), (60_000, 0.002), (79_999, 0.002), (80_000, 0.0002),
      (90_000, 0.0002),
    ]
    for (t, rate) in expected { #expect(abs(schedule.rate(at: t) - rate) < 1e-15, "iteration \(t)") }
  }

  @Test("a cosine schedule warms up linearly and falls to zero along half a wave")
  func cosine() {
    let schedule = Schedule(.cosine, base: 2, total: 110, warmup: 10, warmupFactor: 0.5)
    for (t, rate) in [(0, 1.0), (5, 1.5), (10, 2), (60, 1), (110, 0), (200, 0)] {
      #expect(abs(schedule.rate(at: t) - rate) < 1e-15, "iteration \(t)")
    }
  }
}
