extension RunLengthMask {
  /// Pixels in any of `masks`, or in all of them. All have one size.
  /// - Precondition: `masks` is not empty.
  public static func merged(_ masks: [RunLengthMask], intersecting: Bool = false) -> RunLengthMask {
    precondition(!masks.isEmpty, "merged: no masks")
    return masks.dropFirst().reduce(masks[0]) { $0.combined(with: $1) { intersecting ? $0 && $1 : $0 || $1 } }
  }

  /// Number of pixels in both masks.
  public func intersectionArea(_ other: RunLengthMask) -> Int {
    combined(with: other) { $0 && $1 }.area
  }

  /// Intersection over union as pycocotools counts it: over this mask's own area where `other` is a crowd region.
  /// Zero where the masks do not meet.
  public func iou(_ other: RunLengthMask, isCrowd: Bool = false) -> Double {
    let shared = intersectionArea(other)
    if shared == 0 { return 0 }
    return Double(shared) / Double(isCrowd ? area : area + other.area - shared)
  }

  private func combined(with other: RunLengthMask, _ isInside: (Bool, Bool) -> Bool) -> RunLengthMask {
    precondition(
      width == other.width && height == other.height,
      "masks of \(width)×\(height) and \(other.width)×\(other.height)")
    var ranges = [Range<Int>]()
    var (i, j) = (0, 0)
    var (restA, restB) = (counts.first ?? 0, other.counts.first ?? 0)
    var position = 0
    while i < counts.count && j < other.counts.count {
      let step = min(restA, restB)
      if step > 0 && isInside(i % 2 == 1, j % 2 == 1) { ranges.append(position..<position + step) }
      position += step
      restA -= step
      restB -= step
      if restA == 0 {
        i += 1
        if i < counts.count { restA = counts[i] }
      }
      if restB == 0 {
        j += 1
        if j < other.counts.count { restB = other.counts[j] }
      }
    }
    return RunLengthMask(width: width, height: height, insideRanges: ranges)
  }
}
