import Foundation
import Synchronization

/// Wall-clock time for people; it reaches records and journals, never a key or an artifact.
package enum Timestamp {
  /// Seconds that the clock is wrong by, so that tests can let it jump.
  package static let shift = Atomic<Int>(0)

  /// `2026-01-31T12:00:00.250Z`.
  package static func now() -> String { format("%Y-%m-%dT%H:%M:%S", end: "Z") }
  /// `20260131-120000.250`.
  package static func compact() -> String { format("%Y%m%d-%H%M%S", end: "") }

  /// With milliseconds, so that what follows within a second sorts as it happened.
  private static func format(_ pattern: String, end: String) -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    now.tv_sec += shift.load(ordering: .relaxed)
    var parts = tm()
    gmtime_r(&now.tv_sec, &parts)
    var buffer = [CChar](repeating: 0, count: 64)
    let n = strftime(&buffer, buffer.count, pattern, &parts)
    let milliseconds = String(1000 + now.tv_nsec / 1_000_000).dropFirst()
    return String(decoding: buffer[..<n].map { UInt8(bitPattern: $0) }, as: UTF8.self) + ".\(milliseconds)\(end)"
  }
}
