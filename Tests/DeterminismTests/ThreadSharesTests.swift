import Determinism
import Foundation
import Synchronization
import Testing

@Suite("Threads divided among pieces of work")
struct ThreadSharesTests {
  @Test("shares are equal, the first ones larger by what is left over, and never none")
  func equal() {
    let shares = ThreadShares { 8 }
    let members = (0..<3).map { _ in shares.join() }
    #expect(members.map(\.threads) == [3, 3, 2])
    let more = (0..<7).map { _ in shares.join() }
    #expect((members + more).map(\.threads) == [1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
  }

  @Test("what ends leaves its threads to the others, once")
  func growing() {
    let shares = ThreadShares { 8 }
    let (long, short) = (shares.join(), shares.join())
    #expect(long.threads == 4 && short.threads == 4)
    shares.leave(short)
    shares.leave(short)
    #expect(long.threads == 8)
  }

  @Test("what a member can't use goes to the others")
  func modest() {
    let shares = ThreadShares { 16 }
    let members = [shares.join(), shares.join(atMost: 2), shares.join(atMost: 100)]
    #expect(members.map(\.threads) == [7, 2, 7])
  }

  @Test("a loop uses what the share is when it starts, and only within its scope")
  func scope() {
    let shares = ThreadShares { 6 }
    let share = shares.join()
    let outside = Parallel.threads
    Parallel.withThreads(of: share) {
      #expect(Parallel.threads == 6)
      let other = shares.join()
      #expect(Parallel.threads == 3)
      Parallel.withThreads(1) { #expect(Parallel.threads == 1) }
      shares.leave(other)
      #expect(Parallel.threads == 6)
    }
    #expect(Parallel.threads == outside)
  }

  /// Lets threads go on once so many have arrived, or after a generous time.
  private final class Gate: Sendable {
    private let arrived = Mutex(0)
    private let count: Int

    init(_ count: Int) { self.count = count }

    func pass() {
      arrived.withLock { $0 += 1 }
      let end = Date(timeIntervalSinceNow: 60)
      while arrived.withLock({ $0 }) < count, Date() < end { usleep(100) }
    }
  }

  /// What pieces side by side see of their threads once all are at work.
  private func threads(ofPieces count: Int, among threads: Int) -> [Int] {
    let (atWork, read) = (Gate(min(count, threads)), Gate(min(count, threads)))
    return Parallel.withThreads(threads) {
      Parallel.mapSideBySide(count) { _ in
        atWork.pass()
        let found = Parallel.threads
        // None ends, and leaves its threads to the others, before all have looked.
        read.pass()
        return found
      }
    }
  }

  @Test("pieces side by side divide all threads: of 64 each of eight gets eight")
  func sideBySide() {
    #expect(threads(ofPieces: 8, among: 64) == [Int](repeating: 8, count: 8))
    #expect(threads(ofPieces: 1, among: 64) == [64])
    #expect(threads(ofPieces: 3, among: 3) == [1, 1, 1])
    #expect(threads(ofPieces: 2, among: 1) == [1, 1])
  }

  @Test("loops inside of pieces side by side run on threads beyond one for each piece")
  func helpers() {
    let names = Mutex<Set<UInt>>([])
    let end = Date(timeIntervalSinceNow: 60)
    Parallel.withThreads(6) {
      _ = Parallel.mapSideBySide(2) { _ in
        Parallel.forEach(3) { _ in
          names.withLock { _ = $0.insert(UInt(pthread_self())) }
          // All six are inside at once, or this would not end before the limit.
          while names.withLock({ $0.count }) < 6, Date() < end { usleep(100) }
        }
      }
    }
    #expect(names.withLock { $0.count } == 6)
  }

  @Test("pieces side by side give the same bits with any number of threads")
  func bits() {
    func sums(_ threads: Int) -> [Float] {
      Parallel.withThreads(threads) {
        Parallel.mapSideBySide(5) { piece in
          Parallel.map(7) { i in (0..<1001).reduce(Float(0)) { $0 + 1 / Float(1 + piece * 10_000 + i * 1001 + $1) } }
            .reduce(0, +)
        }
      }
    }
    let one = sums(1)
    for threads in [2, 3, 7, 16] { #expect(sums(threads) == one, "\(threads) threads") }
  }
}
