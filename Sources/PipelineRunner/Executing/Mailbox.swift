import Determinism
import Foundation

/// Where executors leave what happened to their orders, for the thread of the scheduler.
final class Mailbox: @unchecked Sendable {
  // Invariant: `letters` is touched only under `condition`.
  struct Letter: Sendable {
    let key: Digest
    let event: WorkEvent
  }

  private let condition = NSCondition()
  private var letters: [Letter] = []

  func put(_ letter: Letter) {
    condition.withLock {
      letters.append(letter)
      condition.signal()
    }
  }

  /// The letters that came in; waits for the first of them, but not for ever, so that a request to stop is seen.
  func take(waitingAtMost seconds: Double) -> [Letter] {
    condition.withLock {
      if letters.isEmpty { _ = condition.wait(until: Date(timeIntervalSinceNow: seconds)) }
      defer { letters = [] }
      return letters
    }
  }
}
