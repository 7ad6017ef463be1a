import Foundation
import Synchronization

/// The helpers behind `Parallel`: threads that take indices from whichever loop has some left.
final class ThreadPool: @unchecked Sendable {
  // Invariant: `loops`, `started`, `configured` and `sleeping` are touched only under `condition`.
  static let shared = ThreadPool()

  private let condition = NSCondition()
  private var loops: [Loop] = []
  private var started = 0
  private var configured = 0
  private var sleeping = 0
  /// Rises with every posted loop; lets idle helpers spin without the lock.
  private let posted = Atomic<Int>(0)

  /// Threads of one loop at most, the caller counted.
  var width: Int {
    get {
      condition.withLock { configured > 0 ? configured : ProcessInfo.processInfo.activeProcessorCount }
    }
    set { condition.withLock { configured = newValue } }
  }

  func run(count: Int, limit: Int, body: @escaping (Int) -> Void) {
    let loop = Loop(count: count, helpers: limit - 1, body: body)
    condition.lock()
    while started < limit - 1 {
      started += 1
      let thread = Thread { ThreadPool.shared.help() }
      thread.stackSize = 8 << 20
      thread.start()
    }
    loops.append(loop)
    posted.wrappingAdd(1, ordering: .releasing)
    if sleeping > 0 { condition.broadcast() }
    condition.unlock()

    loop.work()
    // No helper may join once the loop is off the list; those inside are waited for.
    condition.withLock { loops.removeAll { $0 === loop } }
    loop.waitForHelpers()
  }

  private func help() {
    ThreadLocal.threads = 1
    var seen = 0
    while true {
      if let loop = takeLoop() {
        loop.work()
        loop.leave()
        continue
      }
      // A loop follows the last within microseconds while a network trains: spin a little before sleeping.
      var spins = 0
      seen = posted.load(ordering: .acquiring)
      while spins < 20_000 {
        if posted.load(ordering: .acquiring) != seen { break }
        spins += 1
      }
      if spins == 20_000 {
        condition.lock()
        while !loops.contains(where: \.isOpen) {
          sleeping += 1
          condition.wait()
          sleeping -= 1
        }
        condition.unlock()
      }
    }
  }

  private func takeLoop() -> Loop? {
    condition.withLock {
      for loop in loops where loop.isOpen {
        loop.join()
        return loop
      }
      return nil
    }
  }
}

/// One parallel loop: an index that everybody takes the next piece from.
private final class Loop: @unchecked Sendable {
  // Invariant: `places` changes only under the pool's lock; the counters are atomic; `body` outlives the loop because
  // the caller waits for every helper before it returns.
  let count: Int
  private var places: Int
  private let body: (Int) -> Void
  private let nextIndex = Atomic<Int>(0)
  private let inside = Atomic<Int>(0)

  init(count: Int, helpers: Int, body: @escaping (Int) -> Void) {
    self.count = count
    self.places = helpers
    self.body = body
  }

  /// Whether a helper may still join and would find work.
  var isOpen: Bool { places > 0 && nextIndex.load(ordering: .relaxed) < count }

  func join() {
    places -= 1
    inside.wrappingAdd(1, ordering: .acquiringAndReleasing)
  }

  func leave() { inside.wrappingSubtract(1, ordering: .acquiringAndReleasing) }

  func work() {
    while true {
      let i = nextIndex.wrappingAdd(1, ordering: .relaxed).oldValue
      if i >= count { return }
      body(i)
    }
  }

  func waitForHelpers() {
    var spins = 0
    while inside.load(ordering: .acquiring) > 0 {
      spins += 1
      if spins > 1000 { sched_yield() }
    }
  }
}

/// The loop width of the current thread; 0 means the pool's.
enum ThreadLocal {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()

  static var threads: Int {
    get { Int(bitPattern: pthread_getspecific(key)) }
    set { pthread_setspecific(key, UnsafeRawPointer(bitPattern: newValue)) }
  }
}
