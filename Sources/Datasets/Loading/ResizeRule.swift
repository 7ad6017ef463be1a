/// The size that a picture is resized to for the network: the shorter side gets a given length, unless the longer
/// one would then exceed its limit.
public struct ResizeRule: Codable, Hashable, Sendable {
  /// Pixels; 800 as published.
  public var shorterSide: Int
  /// Pixels; 1333 as published.
  public var longestSide: Int

  public init(shorterSide: Int, longestSide: Int) {
    self.shorterSide = shorterSide
    self.longestSide = longestSide
  }

  /// The new size, truncated the way the published sizes are: 640×480 becomes 1066×800 under 800 and 1333.
  ///
  /// If the limit binds, the shorter side is `round(longest · min / max)` with halves to even; the longer side is
  /// always the truncated `shorter · max / min`. A picture whose shorter side is right already stays as it is.
  public func size(width: Int, height: Int) -> (width: Int, height: Int) {
    precondition(width > 0 && height > 0, "ResizeRule: \(width)×\(height)")
    let (low, high) = (min(width, height), max(width, height))
    var side = shorterSide
    if high * side > longestSide * low { side = ResizeRule.rounded(longestSide * low, over: high) }
    side = max(side, 1)
    if low == side { return (width, height) }
    let long = side * high / low
    return width < height ? (side, long) : (long, side)
  }

  /// Whether a picture is so long and thin that its shorter side would vanish: resized, it would still be longer than
  /// twice the limit, which bounds the memory that it takes.
  public func isTooThin(width: Int, height: Int) -> Bool {
    let size = size(width: width, height: height)
    return max(size.width, size.height) / 2 > longestSide
  }

  /// The quotient to the nearest integer, halves to the even one.
  private static func rounded(_ a: Int, over b: Int) -> Int {
    let (quotient, rest) = a.quotientAndRemainder(dividingBy: b)
    if 2 * rest == b { return quotient + quotient % 2 }
    return 2 * rest > b ? quotient + 1 : quotient
  }
}
