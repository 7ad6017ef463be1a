import Determinism

/// Which passes of every update one member of a team runs.
struct PassShare: Sendable {
  /// Passes of an update.
  let passes: Int
  /// Those of this member, rising.
  let own: [Int]

  /// - Parameter segments: passes that parameters stay as they are for: together those of an update. Each is dealt out
  ///   from its first pass on, one for each member in turn.
  init(_ segments: [Range<Int>], for team: any Team) {
    passes = segments.last?.upperBound ?? 0
    own = segments.flatMap { segment in segment.filter { ($0 - segment.lowerBound) % team.size == team.rank } }
  }

  /// The step of the data loader for this member's `index`-th batch. Every pass is a step.
  func step(_ index: Int) -> Int { index / own.count * passes + own[index % own.count] }

  /// The number of a pass of an update among this member's batches.
  func batch(ofPass pass: Int, update: Int) -> Int {
    guard let place = own.firstIndex(of: pass) else {
      preconditionFailure("PassShare: pass \(pass) is another member's")
    }
    return update * own.count + place
  }
}
