import Determinism

/// Passes on the last line of what a program prints, a few times a second at most.
final class LineListener {
  private let tell: (String) -> Void
  private let clock = ContinuousClock()
  private var told: ContinuousClock.Instant?
  /// The end of the line that is not complete.
  private var rest: [UInt8] = []

  private static let mostBytes = 200

  init(_ tell: @escaping (String) -> Void) { self.tell = tell }

  func hear(_ bytes: UnsafeRawBufferPointer) {
    // Progress bars write over their line.
    let lines = (rest + bytes.suffix(2 * LineListener.mostBytes)).split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == 0x0A || $0 == 0x0D })
    rest = Array((lines.last ?? []).prefix(LineListener.mostBytes))
    let now = clock.now
    guard let line = lines.last(where: { !$0.isEmpty }), told.map({ now - $0 > .milliseconds(200) }) ?? true else {
      return
    }
    told = now
    tell(String(decoding: line.prefix(LineListener.mostBytes), as: UTF8.self))
  }
}
