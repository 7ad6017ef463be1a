/// The training target of an anchor or proposal.
public enum Match: Hashable, Sendable {
  /// The ground-truth object with this index.
  case object(Int)
  case background
  /// Neither: it enters no loss.
  case ignored

  public var objectIndex: Int? { if case .object(let i) = self { i } else { nil } }
}

/// Assigns ground-truth objects to candidate boxes by IoU.
///
/// A candidate is matched to the object with the highest IoU (the lower index on ties) if that IoU reaches
/// `foregroundThreshold`. It is background below `backgroundThreshold`, and ignored between the two. With
/// `forcesBestCandidates` every object also claims the candidates with *its* highest IoU, all of them on ties. Such a
/// candidate is matched to its own best object, which need not be the one that claimed it (as published).
public struct Matcher: Hashable, Sendable {
  /// From this IoU on a candidate is foreground.
  public var foregroundThreshold: Float
  /// Below this IoU with every object a candidate is background.
  public var backgroundThreshold: Float
  /// Whether every object claims the candidates that fit it best, however little.
  public var forcesBestCandidates: Bool

  public init(foregroundThreshold: Float, backgroundThreshold: Float, forcesBestCandidates: Bool) {
    precondition(
      backgroundThreshold <= foregroundThreshold,
      "Matcher: background \(backgroundThreshold) above foreground \(foregroundThreshold)")
    self.foregroundThreshold = foregroundThreshold
    self.backgroundThreshold = backgroundThreshold
    self.forcesBestCandidates = forcesBestCandidates
  }

  /// The match of every candidate. Without objects all candidates are background.
  public func match(_ candidates: [Box], to objects: [Box], convention: BoxConvention = .legacy) -> [Match] {
    match(candidateCount: candidates.count, objectCount: objects.count) { object, candidate in
      objects[object].iou(candidates[candidate], convention)
    }
  }

  /// The match of every candidate, given the IoU of each pair.
  ///
  /// - Parameter overlap: called with an object and a candidate, once per pair, in object-major order.
  public func match(
    candidateCount: Int, objectCount: Int, overlap: (_ object: Int, _ candidate: Int) -> Float
  ) -> [Match] {
    guard objectCount > 0 else { return [Match](repeating: .background, count: candidateCount) }
    var best = [Float](repeating: -1, count: candidateCount)
    var bestObject = [Int](repeating: 0, count: candidateCount)
    var isForced = [Bool](repeating: false, count: forcesBestCandidates ? candidateCount : 0)
    var row = [Float](repeating: 0, count: candidateCount)
    for object in 0..<objectCount {
      var highest: Float = 0
      for candidate in 0..<candidateCount {
        let value = overlap(object, candidate)
        row[candidate] = value
        highest = max(highest, value)
        if value > best[candidate] {
          best[candidate] = value
          bestObject[candidate] = object
        }
      }
      // An object that touches no candidate claims none; the published code would claim every one with overlap 0.
      if forcesBestCandidates && highest > 0 {
        for candidate in 0..<candidateCount where row[candidate] == highest { isForced[candidate] = true }
      }
    }
    return (0..<candidateCount).map { candidate in
      if best[candidate] >= foregroundThreshold || (forcesBestCandidates && isForced[candidate]) {
        return .object(bestObject[candidate])
      }
      return best[candidate] < backgroundThreshold ? .background : .ignored
    }
  }
}
