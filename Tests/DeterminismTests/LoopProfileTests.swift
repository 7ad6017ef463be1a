import Foundation
import Testing

@testable import Determinism

@Suite("How the time of a computation divides among its loops")
struct LoopProfileTests {
  /// Uses the processor for so many seconds.
  private func work(_ seconds: Double) {
    let end = LoopRecorder.now + seconds
    while LoopRecorder.now < end {}
  }

  private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a / b - 1) < 0.05 }

  @Test("a loop gains by threads as far as it has pieces; what is outside of loops gains nothing")
  func speedup() {
    let profile = LoopProfile.of {
      work(0.01)
      Parallel.forEach(3) { _ in work(0.01) }
    }
    #expect(isClose(profile.seconds, 0.04))
    #expect(profile.speedup(threads: 1) == 1)
    // Three pieces on two threads take as long as two.
    #expect(isClose(profile.speedup(threads: 2), 4.0 / 3))
    #expect(isClose(profile.speedup(threads: 3), 2) && isClose(profile.speedup(threads: 64), 2))
  }

  @Test("inner loops belong to the outer one, unless that has a single piece")
  func nested() {
    let many = LoopProfile.of { Parallel.forEach(2) { _ in Parallel.forEach(8) { _ in work(0.002) } } }
    #expect(isClose(many.speedup(threads: 16), 2))
    let single = LoopProfile.of { Parallel.forEach(1) { _ in Parallel.forEach(8) { _ in work(0.002) } } }
    #expect(isClose(single.speedup(threads: 16), 8))
  }

  @Test("on more data loops have more pieces, as far as they had fewer on less")
  func grown() {
    func profile(_ size: Int) -> LoopProfile {
      .of {
        Parallel.forEach(2 * size) { _ in work(0.005) }
        Parallel.forEach(4) { _ in work(0.005 * Double(size) / 2) }
      }
    }
    let (smaller, larger) = (profile(1), profile(2))
    #expect(isClose(larger.speedup(threads: 64), 4))
    // Eight times as much: 32 pieces of half of the time, and four of the other half.
    let grown = larger.grown(by: 8, from: smaller, share: 0.5)
    #expect(isClose(grown.seconds, 8 * larger.seconds))
    #expect(isClose(grown.speedup(threads: 64), 1 / (0.5 / 32 + 0.5 / 4)))
  }

  @Test("threads are as before afterwards, and results are those of any other number")
  func results() {
    let before = Parallel.threads
    var sums = [Int]()
    _ = LoopProfile.of { sums = Parallel.map(5) { i in Parallel.map(3) { $0 * i }.reduce(0, +) } }
    #expect(sums == [0, 3, 6, 9, 12] && Parallel.threads == before)
  }
}
