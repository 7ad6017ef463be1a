import Determinism

/// What an instance takes while it computes; 0 of what is not known.
package struct Claim: Sendable, Equatable {
  /// Bytes.
  package var memory: Int
  /// Processors that it needs for itself.
  package var processors: Int

  package init(memory: Int = 0, processors: Int = 0) {
    self.memory = memory
    self.processors = processors
  }

  fileprivate func adding(_ other: Claim) -> Claim {
    Claim(
      memory: memory.addingSaturated(other.memory), processors: processors.addingSaturated(other.processors))
  }

  fileprivate func fits(_ limit: Claim) -> Bool { memory <= limit.memory && processors <= limit.processors }
}

/// What may compute side by side: so many instances, and together no more than there is.
///
/// An instance that has to wait for room gets it: whatever starts past it leaves room for it, so it starts as soon as
/// those have ended that were there before it. One that needs more than there is runs alone.
struct Admission {
  let slots: Int
  /// What there is.
  let limit: Claim
  private var claims: [Digest: Claim] = [:]
  /// Those that started past an instance that waits.
  private var late: Set<Digest> = []

  init(slots: Int, limit: Claim) {
    self.slots = slots
    self.limit = limit
  }

  var hasSlot: Bool { claims.count < slots }
  /// Instances that compute.
  var count: Int { claims.count }

  /// Whether an instance can run only alone.
  func isTooLarge(_ claim: Claim) -> Bool { !claim.fits(limit) }

  /// Whether an instance may start now.
  /// - Parameter waiting: the claim of the instance that has waited longest for room, if one does.
  func admits(_ claim: Claim, past waiting: Claim?) -> Bool {
    guard hasSlot else { return false }
    if isTooLarge(claim) { return claims.isEmpty }
    guard !claims.values.contains(where: isTooLarge), sum(claims.keys).adding(claim).fits(limit) else { return false }
    return waiting.map { sum(late).adding(claim).adding($0).fits(limit) } ?? true
  }

  /// - Parameter isLate: whether another instance waits for room.
  mutating func start(_ key: Digest, _ claim: Claim, isLate: Bool) {
    claims[key] = claim
    // Once the one that waited has started, the next one waits for all that run.
    if isLate { late.insert(key) } else { late = [] }
  }

  mutating func end(_ key: Digest) {
    claims[key] = nil
    late.remove(key)
  }

  private func sum(_ keys: some Sequence<Digest>) -> Claim {
    keys.reduce(Claim()) { $0.adding(claims[$1] ?? Claim()) }
  }
}
