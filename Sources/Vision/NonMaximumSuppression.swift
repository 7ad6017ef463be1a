/// Greedy non-maximum suppression: walk from the best score down, drop what overlaps a kept box too much.
public struct NonMaximumSuppression: Hashable, Sendable {
  /// A box goes where its overlap with a kept one is *above* this.
  public var threshold: Float
  public var convention: BoxConvention

  public init(threshold: Float, convention: BoxConvention = .legacy) {
    (self.threshold, self.convention) = (threshold, convention)
  }

  /// Indices of the kept boxes by descending score; equal scores in input order.
  /// - Parameter limit: stop after this many.
  /// - Precondition: no score is a NaN.
  public func keptInScoreOrder(_ boxes: [Box], scores: [Float], limit: Int = .max) -> [Int] {
    precondition(boxes.count == scores.count, "NMS: \(boxes.count) boxes, \(scores.count) scores")
    var kept = [Int]()
    for candidate in indicesOfLargest(scores) {
      if kept.count >= limit { break }
      let box = boxes[candidate]
      if !kept.contains(where: { boxes[$0].iou(box, convention) > threshold }) { kept.append(candidate) }
    }
    return kept
  }

  /// The same boxes by ascending index: the order in which the published network passes detections on. With a limit,
  /// the first `limit` *of that order* remain, not the best.
  public func keptInInputOrder(_ boxes: [Box], scores: [Float], limit: Int = .max) -> [Int] {
    Array(keptInScoreOrder(boxes, scores: scores).sorted().prefix(limit))
  }
}

/// Indices of the `count` largest values, in descending order; the lower index first among equals.
/// - Precondition: no value is a NaN.
public func indicesOfLargest(_ values: [Float], count: Int = .max) -> [Int] {
  precondition(values.allSatisfy { !$0.isNaN }, "indicesOfLargest: a value is NaN")
  let order = (0..<values.count).sorted { a, b in
    values[a] != values[b] ? values[a] > values[b] : a < b
  }
  return count < order.count ? Array(order[..<count]) : order
}
