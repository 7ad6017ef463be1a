import Determinism
import Foundation
import Synchronization
import Testing

@Suite("startThread and onDeepStack")
struct StartThreadTests {
  @Test("the body runs on a new thread with the given name and stack")
  func runs() throws {
    let done = DispatchSemaphore(value: 0)
    let found = Mutex("")
    let caller = pthread_self()
    try startThread(named: "a name of more than 15 bytes", stackBytes: 64 << 20) {
      precondition(pthread_equal(pthread_self(), caller) == 0)
      precondition(StartThreadTests.descend(kibibytes: 40 << 10) == 40 << 10)
      let name = (try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)) ?? ""
      found.withLock { $0 = name }
      done.signal()
    }
    done.wait()
    #expect(found.withLock { $0 } == "a name of more \n")
  }

  @Test("onDeepStack returns the result of its body or throws its error, with room for deep recursion")
  func deepStack() throws {
    #expect(try onDeepStack { Self.descend(kibibytes: 40 << 10) } == 40 << 10)
    #expect(throws: BodyFailed.self) { try onDeepStack { throw BodyFailed() } }
  }

  private struct BodyFailed: Error {}

  /// Recurses with one kibibyte of stack in each call.
  @inline(never)
  private static func descend(kibibytes: Int) -> Int {
    if kibibytes == 0 { return 0 }
    return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 16) { room in
      room[kibibytes % 1024] = 1
      return descend(kibibytes: kibibytes - 1) + Int(room[kibibytes % 1024])
    }
  }

  @Test("a stack that the system refuses is an error that names the thread", arguments: [1, 1 << 60])
  func refused(stackBytes: Int) {
    let failure = #expect(throws: ThreadFailure.self) {
      try startThread(named: "greedy", stackBytes: stackBytes) { Issue.record("started") }
    }
    #expect(failure?.description.contains("cannot start a thread (greedy): ") == true)
    #expect(failure?.isUserData == false)
  }

  @Test("the captures of the body are released, whether the thread starts or not")
  func released() throws {
    final class Held: Sendable {}
    for stackBytes in [1 << 20, 1 << 60] {
      weak var left: Held?
      let done = DispatchSemaphore(value: 0)
      do {
        let held = Held()
        left = held
        do {
          try startThread(named: "holds", stackBytes: stackBytes) {
            withExtendedLifetime(held) {}
            done.signal()
          }
          done.wait()
        } catch {}
      }
      // The thread releases them after its last statement.
      for _ in 0..<1_000 where left != nil { usleep(1_000) }
      #expect(left == nil)
    }
  }

  @Test("without new threads loops run on their callers, and onDeepStack throws")
  func noThreads() async {
    // In a process of its own: no address space is left for another stack.
    await #expect(processExitsWith: .success) {
      let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
      let most = rlim_t(Int(pages[0])! * Int(getpagesize()) + (4 << 20))
      var limit = rlimit()
      precondition(getrlimit(__rlimit_resource_t(9), &limit) == 0)  // RLIMIT_AS
      let before = limit
      limit.rlim_cur = most
      precondition(setrlimit(__rlimit_resource_t(9), &limit) == 0)
      let total = Atomic<Int>(0)
      Parallel.withThreads(4) {
        for _ in 0..<3_000 { Parallel.forEach(10) { i in total.wrappingAdd(i, ordering: .relaxed) } }
      }
      precondition(total.load(ordering: .relaxed) == 45 * 3_000)
      var refusal: (any Error)?
      do { try onDeepStack {} } catch { refusal = error }
      precondition(refusal is ThreadFailure)
      // With address space again, helper threads start.
      limit = before
      precondition(setrlimit(__rlimit_resource_t(9), &limit) == 0)
      try onDeepStack {}
      let callers = Mutex<Set<UInt>>([])
      Parallel.withThreads(2) {
        for _ in 0..<2_000 {
          Parallel.forEach(2) { _ in
            callers.withLock { _ = $0.insert(UInt(pthread_self())) }
            usleep(10)
          }
        }
      }
      precondition(callers.withLock { $0.count } == 2)
    }
  }
}
