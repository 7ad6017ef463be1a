import Foundation

/// How the time of a computation on one thread divides among its loops, and so what more threads would make of it.
///
/// A loop of `n` pieces on `k` threads takes as long as ⌈n / k⌉ of its pieces; what is outside of loops takes as long as
/// on one thread.
public struct LoopProfile: Sendable {
  /// Processor time of everything.
  public private(set) var seconds: Double
  /// The outermost loops in their order, and those of one piece with no loop inside.
  private var loops: [Loop]

  struct Loop {
    var pieces: Double
    /// Processor time.
    var seconds: Double
  }

  /// Of nothing.
  public init() { self.init(seconds: 0, loops: []) }

  init(seconds: Double, loops: [Loop]) {
    self.seconds = seconds
    self.loops = loops
  }

  /// Runs a computation with loops of one thread, and takes down its processor time: other programs hardly matter.
  public static func of(_ body: () throws -> Void) rethrows -> LoopProfile {
    let recorder = LoopRecorder()
    let begin = LoopRecorder.now
    try Parallel.recording(recorder, body)
    return LoopProfile(seconds: max(1e-9, LoopRecorder.now - begin), loops: recorder.loops)
  }

  /// Of this and then another computation.
  public func followed(by other: LoopProfile) -> LoopProfile {
    LoopProfile(seconds: seconds + other.seconds, loops: loops + other.loops)
  }

  /// Of more or less of the same, with as many pieces in each loop.
  public func scaled(by factor: Double) -> LoopProfile {
    var profile = self
    profile.seconds *= factor
    for i in loops.indices { profile.loops[i].seconds *= factor }
    return profile
  }

  /// Of the same computation on more data: loops have more pieces, as far as they had fewer on less.
  /// - Parameters:
  ///   - factor: how many times as much data.
  ///   - smaller: of the same computation on less data.
  ///   - share: how much less.
  public func grown(by factor: Double, from smaller: LoopProfile, share: Double) -> LoopProfile {
    var profile = self
    // Where data decided which loops there were, nothing is known of single ones: they grow as their data.
    let isSame = loops.count == smaller.loops.count && share < 1
    for (i, loop) in loops.enumerated() {
      var exponent = 1.0
      if isSame, loop.pieces > 1 {
        exponent = log(loop.pieces / smaller.loops[i].pieces) / log(1 / share)
      }
      profile.loops[i].pieces = loop.pieces * pow(factor, min(1, max(0, exponent)))
    }
    return profile.scaled(by: factor)
  }

  /// How many times as fast so many threads would be.
  public func speedup(threads: Int) -> Double {
    guard threads > 1 else { return 1 }
    let threads = Double(threads)
    let saved = loops.map { loop -> Double in
      let pieces = max(1, loop.pieces.rounded())
      return loop.seconds * (1 - (pieces / threads).rounded(.up) / pieces)
    }.reduce(0, +)
    return seconds / max(seconds * 1e-6, seconds - saved)
  }
}

/// Takes down the loops of one thread.
final class LoopRecorder: @unchecked Sendable {
  // Invariant: used only by the thread of `LoopProfile.of`.
  private(set) var loops: [LoopProfile.Loop] = []

  /// Processor time of this thread.
  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }

  func run(_ count: Int, _ body: (Int) -> Void) {
    guard count > 0 else { return }
    let (begin, before) = (LoopRecorder.now, loops.count)
    if count == 1 {
      // Loops inside of the only piece may use all threads.
      body(0)
      guard loops.count == before else { return }
    } else {
      Parallel.withThreads(1) { for i in 0..<count { body(i) } }
    }
    loops.append(LoopProfile.Loop(pieces: Double(count), seconds: LoopRecorder.now - begin))
  }
}
