import Foundation
import Synchronization

/// Crashes and failing disks at a chosen step, so that tests can try every one of them.
///
/// Code that changes files passes a point before each step. `AUTOPANOPTIC_FAIL_AT=n` kills the process at the n-th
/// point it passes; `n:ENOSPC` (or EIO, EDQUOT, EROFS, EACCES) lets that step fail instead, and all later ones too with
/// `n:ENOSPC+`. Unset, a point costs one comparison.
public enum FailPoint {
  public enum Step: Sendable {
    case write, sync, rename, lock, makeFolder, remove, protect
  }

  /// What a step must do.
  public enum Action: Equatable, Sendable {
    case goOn
    /// Fail as if the system had said this.
    case fail(Int32)
    /// Do half of it; then `die()`.
    case breakOff
  }

  /// The number of the point, from 1; negative where nothing is asked for.
  private static let at: Atomic<Int> = {
    let at = Atomic<Int>(-1)
    if let text = ProcessInfo.processInfo.environment["AUTOPANOPTIC_FAIL_AT"], let order = Order(text) {
      code.store(order.code, ordering: .relaxed)
      isLasting.store(order.isLasting, ordering: .relaxed)
      at.store(order.at, ordering: .relaxed)
    }
    return at
  }()
  /// What the step fails with; 0 kills.
  private static let code = Atomic<Int32>(0)
  private static let isLasting = Atomic<Bool>(false)
  private static let passed = Atomic<Int>(0)

  private struct Order {
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

  /// Points passed since the last order, where there was one; 0 as its number counts and does nothing.
  public static var count: Int { passed.load(ordering: .relaxed) }

  /// Orders a failure as the variable does, and counts from 0 again.
  /// - Precondition: a number, and the name of an error or nothing.
  public static func order(_ text: String) {
    guard let order = Order(text) else { preconditionFailure("FailPoint: '\(text)'") }
    at.store(-1, ordering: .relaxed)
    passed.store(0, ordering: .relaxed)
    code.store(order.code, ordering: .relaxed)
    isLasting.store(order.isLasting, ordering: .relaxed)
    at.store(order.at, ordering: .releasing)
  }

  private static let unreadable = Mutex<String?>(nil)
  private static let hasUnreadable = Atomic<Bool>(false)

  /// Lets reading fail with EIO wherever the path has `part` in it, as a bad sector does; nil ends that.
  public static func failReading(_ part: String?) {
    unreadable.withLock { $0 = part }
    hasUnreadable.store(part != nil, ordering: .releasing)
  }

  /// Whether reading a file must fail.
  public static func failsReading(_ path: String) -> Bool {
    guard hasUnreadable.load(ordering: .acquiring) else { return false }
    return unreadable.withLock { $0.map { path.contains($0) } ?? false }
  }

  /// Passes a point. Kills the process where that was asked for, unless the step can be broken off in its middle.
  public static func pass(_ step: Step, canBreakOff: Bool = false) -> Action {
    let at = at.load(ordering: .acquiring)
    guard at >= 0 else { return .goOn }
    let number = passed.wrappingAdd(1, ordering: .relaxed).newValue
    guard number == at || (number > at && at > 0 && isLasting.load(ordering: .relaxed)) else { return .goOn }
    let code = code.load(ordering: .relaxed)
    if code != 0 { return .fail(code) }
    if canBreakOff { return .breakOff }
    die()
  }

  /// Ends the process as `kill -9` does.
  public static func die() -> Never {
    kill(getpid(), SIGKILL)
    while true { pause() }
  }
}
