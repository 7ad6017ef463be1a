import Foundation

/// How the time of a computation on one thread divides among its loops, and so what more threads would make of it.
///
/// A loop of `n` pieces on `k` threads takes as long as ⌈n / k⌉ of its pieces; what is outside of loops takes as long as
/// on one thread.
public struct LoopProfile: Sendable {
  /// Processor time of everything.
  public private(set) var seconds = 0.0
  /// Processor time of the outermost loops, by their numbers of pieces.
  private var loops: [Int: Double] = [:]

  /// Of nothing.
  public init() {}

  /// Runs a computation with loops of one thread, and takes down its processor time: other programs hardly matter.
  public static func of(_ body: () throws -> Void) rethrows -> LoopProfile {
    let recorder = LoopRecorder()
    let begin = LoopRecorder.now
    try Parallel.recording(recorder, body)
    var profile = LoopProfile()
    profile.seconds = max(1e-9, LoopRecorder.now - begin)
    profile.loops = recorder.loops
    return profile
  }

  /// Of more or less of the same.
  public func scaled(by factor: Double) -> LoopProfile {
    var profile = self
    profile.seconds *= factor
    profile.loops = loops.mapValues { $0 * factor }
    return profile
  }

  /// Of one after the other.
  public static func + (a: LoopProfile, b: LoopProfile) -> LoopProfile {
    var sum = a
    sum.seconds += b.seconds
    sum.loops.merge(b.loops, uniquingKeysWith: +)
    return sum
  }

  /// How many times as fast so many threads would be.
  public func speedup(threads: Int) -> Double {
    guard threads > 1 else { return 1 }
    let saved = loops.map { pieces, time in
      time * (1 - Double((pieces + threads - 1) / threads) / Double(pieces))
    }.reduce(0, +)
    return seconds / max(seconds * 1e-6, seconds - saved)
  }

  /// The share of time in loops of so many pieces or more.
  public func share(ofLoopsWith pieces: Int) -> Double {
    loops.filter { $0.key >= pieces }.values.reduce(0, +) / seconds
  }
}

/// Takes down the loops of one thread.
final class LoopRecorder: @unchecked Sendable {
  // Invariant: used only by the thread of `LoopProfile.of`.
  private(set) var loops: [Int: Double] = [:]

  /// Processor time of this thread.
  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }

  func run(_ count: Int, _ body: (Int) -> Void) {
    let begin = LoopRecorder.now
    Parallel.withThreads(1) { for i in 0..<count { body(i) } }
    loops[count, default: 0] += LoopRecorder.now - begin
  }
}
