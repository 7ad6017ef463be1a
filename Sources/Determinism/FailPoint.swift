import Foundation
import Synchronization

/// Fault injection: simulates a crash or a failing disk at a chosen step, so that tests can try each of them.
///
/// Code that changes files calls `pass` before each step. `AUTOPANOPTIC_FAIL_AT=n` kills the process at the n-th call;
/// `n:ENOSPC` (or EIO, EDQUOT, EROFS, EACCES) makes that step fail instead, and `n:ENOSPC+` all later ones too. When
/// the variable is unset, a call costs one comparison.
public enum FailPoint {
  /// The kinds of steps that can fail.
  public enum Step: Sendable {
    case write, sync, rename, lock, makeFolder, remove, protect
  }

  /// What the caller of `pass` must do.
  public enum Outcome: Equatable, Sendable {
    case proceed
    /// Fail as if the system call had returned this `errno`.
    case fail(Int32)
    /// Do half of the step, then call `die()`.
    case interrupt
  }

  /// The call that fails, counted from 1; 0 only counts calls; negative where no fault was requested.
  private static let at: Atomic<Int> = {
    let at = Atomic<Int>(-1)
    if let text = ProcessInfo.processInfo.environment["AUTOPANOPTIC_FAIL_AT"], let fault = Fault(text) {
      code.store(fault.code, ordering: .relaxed)
      isLasting.store(fault.isLasting, ordering: .relaxed)
      at.store(fault.at, ordering: .relaxed)
    }
    return at
  }()
  /// The `errno` that the step fails with; 0 kills the process.
  private static let code = Atomic<Int32>(0)
  private static let isLasting = Atomic<Bool>(false)
  private static let passed = Atomic<Int>(0)

  private struct Fault {
    var at: Int
    var code: Int32 = 0
    var isLasting = false

    init?(_ text: String) {
      let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
      guard let at = parts.first.flatMap({ Int($0) }), at >= 0 else { return nil }
      self.at = at
      guard parts.count == 2 else { return }
      let codes = ["ENOSPC": ENOSPC, "EIO": EIO, "EDQUOT": EDQUOT, "EROFS": EROFS, "EACCES": EACCES]
      guard let code = codes[parts[1].filter { $0 != "+" }] else { return nil }
      self.code = code
      isLasting = parts[1].hasSuffix("+")
    }
  }

  /// Calls of `pass` since the last `arm`, or since the start where the variable is set. Arming with `0` only counts.
  public static var count: Int { passed.load(ordering: .relaxed) }

  /// Requests a fault, in the syntax of the variable, and restarts the count.
  /// - Precondition: `text` is a number, optionally followed by a colon and the name of an error.
  public static func arm(_ text: String) {
    guard let fault = Fault(text) else { preconditionFailure("FailPoint: '\(text)'") }
    at.store(-1, ordering: .relaxed)
    passed.store(0, ordering: .relaxed)
    code.store(fault.code, ordering: .relaxed)
    isLasting.store(fault.isLasting, ordering: .relaxed)
    at.store(fault.at, ordering: .releasing)
  }

  private static let unreadable = Mutex<String?>(nil)
  private static let hasUnreadable = Atomic<Bool>(false)

  /// Makes reads of every path that contains `part` fail with EIO, as a bad sector does; nil ends that.
  public static func failReading(_ part: String?) {
    unreadable.withLock { $0 = part }
    hasUnreadable.store(part != nil, ordering: .releasing)
  }

  /// Whether `failReading` requested that reads of this file fail.
  public static func failsReading(_ path: String) -> Bool {
    guard hasUnreadable.load(ordering: .acquiring) else { return false }
    return unreadable.withLock { $0.map { path.contains($0) } ?? false }
  }

  /// Counts a step and says whether it must fail. Kills the process where that was requested.
  ///
  /// - Parameter canInterrupt: the step can stop in its middle; `interrupt` is then returned instead of killing here.
  public static func pass(_ step: Step, canInterrupt: Bool = false) -> Outcome {
    let at = at.load(ordering: .acquiring)
    guard at >= 0 else { return .proceed }
    let number = passed.wrappingAdd(1, ordering: .relaxed).newValue
    guard number == at || (number > at && at > 0 && isLasting.load(ordering: .relaxed)) else { return .proceed }
    let code = code.load(ordering: .relaxed)
    if code != 0 { return .fail(code) }
    if canInterrupt { return .interrupt }
    die()
  }

  /// Ends the process as `kill -9` does.
  public static func die() -> Never {
    kill(getpid(), SIGKILL)
    while true { pause() }
  }
}
