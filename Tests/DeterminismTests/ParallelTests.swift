import Determinism
import Foundation
import Synchronization
import Testing

@Suite("Parallel")
struct ParallelTests {
  /// Counts the visits of every index.
  private final class Visits: Sendable {
    private let counts: Mutex<[Int]>
    init(_ count: Int) { counts = Mutex([Int](repeating: 0, count: count)) }
    func visit(_ i: Int) { counts.withLock { $0[i] += 1 } }
    var all: [Int] { counts.withLock { $0 } }
  }

  @Test(
    "visits every index once, whatever the count and the number of threads",
    arguments: [0, 1, 2, 3, 17, 1000], [1, 2, 3, 8])
  func everyIndexOnce(_ count: Int, _ threads: Int) {
    let visits = Visits(count)
    Parallel.withThreads(threads) { Parallel.forEach(count) { visits.visit($0) } }
    #expect(visits.all == [Int](repeating: 1, count: count))
  }

  @Test("a negative count is an empty loop")
  func negative() {
    Parallel.forEach(-1) { _ in Issue.record("visited") }
  }

  @Test("chunks depend on their size alone, not on the number of threads", arguments: [1, 2, 3])
  func chunks(_ threads: Int) {
    let seen = Mutex<[Range<Int>]>([])
    Parallel.withThreads(threads) {
      Parallel.forEachChunk(10, chunk: 4) { range in seen.withLock { $0.append(range) } }
    }
    #expect(seen.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } } == [0..<4, 4..<8, 8..<10])
  }

  @Test("map returns results in index order, of any type")
  func mapping() {
    for threads in 1...3 {
      let texts = Parallel.withThreads(threads) { Parallel.map(500) { "element \($0)" } }
      #expect(texts == (0..<500).map { "element \($0)" })
    }
    #expect(Parallel.map(0) { $0 }.isEmpty)
  }

  /// A sum that depends on the order of its terms: pieces of a fixed size, added in index order.
  private func orderedSum(threads: Int) -> Float {
    Parallel.withThreads(threads) {
      let partial = Parallel.map(97) { piece -> Float in
        (0..<1001).reduce(Float(0)) { $0 + 1 / Float(1 + piece * 1001 + $1) }
      }
      return partial.reduce(0, +)
    }
  }

  @Test("one, two, three and nine threads give the same bits")
  func threadsDoNotMatter() {
    let reference = orderedSum(threads: 1)
    for threads in [1, 2, 3, 9] {
      #expect(orderedSum(threads: threads).bitPattern == reference.bitPattern, "\(threads) threads")
    }
  }

  @Test("loops nest")
  func nested() {
    let visits = Visits(20 * 30 * 5)
    Parallel.withThreads(3) {
      Parallel.forEach(20) { i in
        Parallel.forEach(30) { j in
          Parallel.forEach(5) { k in visits.visit((i * 30 + j) * 5 + k) }
        }
      }
    }
    #expect(visits.all.allSatisfy { $0 == 1 })
  }

  @Test("loops started by several threads at the same time keep their results apart")
  func concurrent() {
    let failures = Mutex(0)
    let group = DispatchGroup()
    for caller in 0..<6 {
      group.enter()
      Thread.detachNewThread {
        for round in 0..<300 {
          let result = Parallel.withThreads(1 + (caller + round) % 4) { Parallel.map(40) { $0 * caller + round } }
          if result != (0..<40).map({ $0 * caller + round }) { failures.withLock { $0 += 1 } }
        }
        group.leave()
      }
    }
    group.wait()
    #expect(failures.withLock { $0 } == 0)
  }

  @Test("blocking pieces and sleeping helpers never hang a loop")
  func sleepers() {
    for round in 0..<40 {
      let visits = Visits(5)
      Parallel.withThreads(3) {
        Parallel.forEach(5) { i in
          if (i + round) % 3 == 0 { usleep(2_000) }
          visits.visit(i)
        }
      }
      #expect(visits.all == [1, 1, 1, 1, 1])
      if round % 4 == 0 { usleep(5_000) }
    }
  }

  @Test("a hundred thousand small loops finish")
  func stress() {
    let total = Atomic<Int>(0)
    let start = ContinuousClock.now
    Parallel.withThreads(2) {
      for _ in 0..<100_000 { Parallel.forEach(2) { i in total.wrappingAdd(i + 1, ordering: .relaxed) } }
    }
    let time = ContinuousClock.now - start
    #expect(total.load(ordering: .relaxed) == 300_000)
    print("100000 loops of two pieces on two threads: \(time / 100_000) each")
  }

  @Test("withThreads applies to the calling thread within its scope")
  func scoped() {
    let before = Parallel.threads
    Parallel.withThreads(5) {
      #expect(Parallel.threads == 5)
      Parallel.withThreads(2) { #expect(Parallel.threads == 2) }
      #expect(Parallel.threads == 5)
    }
    #expect(Parallel.threads == before)
  }

  @Test("idle helper threads use no processor time")
  func idle() async {
    // In a process of its own, where nothing else uses the processor.
    await #expect(processExitsWith: .success) {
      Parallel.withThreads(3) { Parallel.forEach(100) { _ in } }
      usleep(50_000)
      let before = clock()
      usleep(500_000)
      let used = Double(clock() - before) / Double(CLOCKS_PER_SEC)
      precondition(used < 0.05, "\(used) s of processor time in 0.5 s of idleness")
    }
  }
}
