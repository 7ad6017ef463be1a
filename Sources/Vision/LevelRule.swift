import Determinism

/// The pyramid level that a box is pooled from: `floor(k₀ + log₂(√area / s₀ + ε))`, clamped to the levels.
public struct LevelRule: Hashable, Sendable {
  /// `s₀`: the side, in image pixels, of a box that belongs to the canonical level.
  public var canonicalScale: Double
  /// `k₀`
  public var canonicalLevel: Int
  /// Smaller regions are pooled from this level too.
  public var lowest: Int
  /// Larger regions are pooled from this level too.
  public var highest: Int
  /// `ε`, which keeps boxes whose side is a power of two times `s₀` on the upper level in spite of rounding.
  public var epsilon: Double
  public var convention: BoxConvention

  /// The defaults are the published ones for 800-pixel images.
  public init(
    canonicalScale: Double = 224, canonicalLevel: Int = 4, lowest: Int = 2, highest: Int = 5, epsilon: Double = 1e-6,
    convention: BoxConvention = .legacy
  ) {
    precondition(
      lowest <= highest && canonicalScale > 0 && epsilon > 0,
      "LevelRule: levels \(lowest)...\(highest), scale \(canonicalScale), epsilon \(epsilon)")
    self.canonicalScale = canonicalScale
    self.canonicalLevel = canonicalLevel
    self.lowest = lowest
    self.highest = highest
    self.epsilon = epsilon
    self.convention = convention
  }

  /// The level of `box`, in `lowest ... highest`; an empty box goes to the lowest.
  public func level(of box: Box) -> Int {
    let side = max(0, box.area(convention)).squareRoot()
    let level = (Double(canonicalLevel) + PortableMath.log2(side / canonicalScale + epsilon)).rounded(.down)
    return Int(min(max(level, Double(lowest)), Double(highest)))
  }
}
