import Foundation
import Synchronization

/// The threads of `Parallel`, called helpers: each takes indices from any loop that has some left.
///
/// Training starts tens of thousands of loops a second, each some tens of microseconds long. So an idle helper spins on
/// a counter for a moment before it sleeps; a caller that waits for its helpers does the same.
final class ThreadPool: @unchecked Sendable {
  // Invariant: `loops`, `wanted`, `started`, `sleeping` and `loopsUntilRetry` are touched only under `lock`; everything
  // else is atomic or constant.
  static let shared = ThreadPool()

  private let lock = Lock()
  private var loops: [Loop] = []
  /// Helpers that all running loops together may use. Loops that nest or run side by side add up.
  private var wanted = 0
  private var started = 0
  private var sleeping = 0
  /// Loops to run before retrying to create a helper that the system refused.
  private var loopsUntilRetry = 0
  /// Incremented with every posted loop, under the lock; idle helpers watch it without the lock.
  private let posted = Atomic<Int>(0)
  private let configured = Atomic<Int>(0)
  private let processors = max(1, ProcessInfo.processInfo.activeProcessorCount)

  /// The largest number of threads of one loop, including the caller.
  var width: Int {
    get {
      let width = configured.load(ordering: .relaxed)
      return width > 0 ? width : processors
    }
    set { configured.store(newValue, ordering: .relaxed) }
  }

  /// Runs a loop on this thread and at most `limit - 1` helpers; returns when every iteration is done. Where the system
  /// refuses a helper, the other threads do its share.
  func run(count: Int, limit: Int, body: @escaping (Int) -> Void) {
    let loop = Loop(count: count, helpers: limit - 1, body: body)
    lock.acquire()
    wanted += limit - 1
    if loopsUntilRetry > 0 { loopsUntilRetry -= 1 } else { startHelpers(min(wanted, max(width, limit) - 1)) }
    loops.append(loop)
    posted.wrappingAdd(1, ordering: .releasing)
    if sleeping > 0 { lock.wakeHelpers(min(sleeping, limit - 1)) }
    lock.release()

    loop.work()
    // Once removed, no helper joins; those inside are waited for, since `body` lives on the caller's stack.
    lock.acquire()
    loops.removeAll { $0 === loop }
    wanted -= limit - 1
    lock.release()
    loop.awaitHelpers(lock)
    loop.dropBody()
  }

  /// - Precondition: the lock is held.
  private func startHelpers(_ count: Int) {
    while started < count {
      do {
        try startThread(named: "helper \(started + 1)") { ThreadPool.shared.help() }
        started += 1
      } catch {
        loopsUntilRetry = 1_000
        return
      }
    }
  }

  private func help() -> Never {
    // A nested loop runs on the helper alone, unless its piece says otherwise: the pool is busy with the outer loop.
    ThreadLocal.limit = .fixed(1)
    while true {
      // Read before joining: a loop posted after that changes the counter, so the spin cannot miss it.
      let seen = posted.load(ordering: .acquiring)
      if let loop = joinLoop() {
        loop.work()
        loop.leave(lock)
      } else if !Wait.spin(until: { posted.load(ordering: .acquiring) != seen }) {
        sleep()
      }
    }
  }

  private func joinLoop() -> Loop? {
    lock.acquire()
    defer { lock.release() }
    guard let loop = loops.first(where: \.isOpen) else { return nil }
    loop.join()
    return loop
  }

  private func sleep() {
    lock.acquire()
    sleeping += 1
    while !loops.contains(where: \.isOpen) { lock.wait(.helpers) }
    sleeping -= 1
    lock.release()
  }
}

/// One parallel loop: a shared index from which every thread takes its next iteration.
private final class Loop: @unchecked Sendable {
  // Invariant: `places` changes only under the pool's lock; the counters are atomic; `body` is called only between a
  // helper's `join` and `leave` or by the caller, who returns after the last `leave`.
  private let count: Int
  private var places: Int
  /// Nil once every helper has left: a helper may still hold the loop then, but must not hold the closure.
  private var body: ((Int) -> Void)?
  private let nextIndex = Atomic<Int>(0)
  private let inside = Atomic<Int>(0)
  private let callerSleeps = Atomic<Bool>(false)

  init(count: Int, helpers: Int, body: @escaping (Int) -> Void) {
    self.count = count
    self.places = helpers
    self.body = body
  }

  /// Whether a helper may still join and would find work. Read under the lock.
  var isOpen: Bool { places > 0 && nextIndex.load(ordering: .relaxed) < count }

  /// Called under the lock, while the loop is on the pool's list.
  func join() {
    places -= 1
    inside.wrappingAdd(1, ordering: .relaxed)
  }

  func work() {
    guard let body else { return }
    while true {
      let i = nextIndex.wrappingAdd(1, ordering: .relaxed).oldValue
      if i >= count { return }
      body(i)
    }
  }

  /// Publishes the helper's results and wakes a sleeping caller.
  ///
  /// Both sides write, then read what the other wrote, in one total order: either the caller sees that the last helper
  /// has left, or that helper sees that the caller sleeps.
  func leave(_ lock: Lock) {
    let left = inside.wrappingSubtract(1, ordering: .sequentiallyConsistent).newValue
    guard left == 0, callerSleeps.load(ordering: .sequentiallyConsistent) else { return }
    lock.acquire()
    lock.wakeCallers()
    lock.release()
  }

  /// Called by the caller, after the last helper left.
  func dropBody() { body = nil }

  func awaitHelpers(_ lock: Lock) {
    if Wait.spin(until: { inside.load(ordering: .acquiring) == 0 }) { return }
    lock.acquire()
    callerSleeps.store(true, ordering: .sequentiallyConsistent)
    while inside.load(ordering: .sequentiallyConsistent) > 0 { lock.wait(.callers) }
    lock.release()
  }
}

/// A short busy wait: about a microsecond of spinning, then about a tenth of a millisecond of yielding the core (with
/// more threads than cores, to the thread waited for).
private enum Wait {
  static func spin(until done: () -> Bool) -> Bool {
    for _ in 0..<1_000 where done() { return true }
    for _ in 0..<200 {
      if done() { return true }
      sched_yield()
    }
    return done()
  }
}

/// A mutex with two condition variables.
private final class Lock: @unchecked Sendable {
  // Invariant: the three objects are initialised once, never move, and live as long as the process (the only lock
  // belongs to the shared pool).
  enum Waiters { case helpers, callers }

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let helpers = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let callers = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(helpers, nil)
    pthread_cond_init(callers, nil)
  }

  func acquire() { pthread_mutex_lock(mutex) }
  func release() { pthread_mutex_unlock(mutex) }
  func wait(_ waiters: Waiters) { pthread_cond_wait(waiters == .helpers ? helpers : callers, mutex) }
  func wakeHelpers(_ count: Int) { for _ in 0..<count { pthread_cond_signal(helpers) } }
  func wakeCallers() { pthread_cond_broadcast(callers) }
}
