/// How the far corner of a box is read, and so what its width is.
public enum BoxConvention: Sendable, Hashable {
  /// The far corner is the last pixel inside: `width = x1 - x0 + 1`. What the published networks were trained with.
  case legacy
  /// The far corner is the first coordinate outside: `width = x1 - x0`.
  case exclusive

  /// What is added to a difference of corners to give a side.
  public var offset: Double { self == .legacy ? 1 : 0 }
}

/// An axis-parallel box in pixels of the image: near corner `(x0, y0)`, far corner `(x1, y1)`.
///
/// The default convention everywhere is `.legacy`, where the far corner lies inside the box. Areas and overlaps are
/// computed in binary64 from the binary32 corners and rounded once, so they do not depend on how a compiler or an
/// instruction set would have fused the steps.
public struct Box: Hashable, Sendable, Codable {
  public var x0: Float
  public var y0: Float
  public var x1: Float
  public var y1: Float

  public init(x0: Float, y0: Float, x1: Float, y1: Float) {
    (self.x0, self.y0, self.x1, self.y1) = (x0, y0, x1, y1)
  }

  /// `(x0, y0, x1, y1)`
  public init(_ x0: Float, _ y0: Float, _ x1: Float, _ y1: Float) { self.init(x0: x0, y0: y0, x1: x1, y1: y1) }
}

extension Box {
  /// Width in binary64; negative for an inverted box.
  public func width(_ convention: BoxConvention = .legacy) -> Double { Double(x1) - Double(x0) + convention.offset }

  /// Height in binary64; negative for an inverted box.
  public func height(_ convention: BoxConvention = .legacy) -> Double { Double(y1) - Double(y0) + convention.offset }

  /// Area in square pixels.
  public func area(_ convention: BoxConvention = .legacy) -> Double { width(convention) * height(convention) }

  /// Area shared with `other`; zero where they do not meet.
  public func intersection(_ other: Box, _ convention: BoxConvention = .legacy) -> Double {
    let w = Double(min(x1, other.x1)) - Double(max(x0, other.x0)) + convention.offset
    let h = Double(min(y1, other.y1)) - Double(max(y0, other.y0)) + convention.offset
    return max(0, w) * max(0, h)
  }

  /// Intersection over union in `[0, 1]`, rounded once to binary32; zero where both boxes are empty.
  public func iou(_ other: Box, _ convention: BoxConvention = .legacy) -> Float {
    let shared = intersection(other, convention)
    if shared == 0 { return 0 }
    return Float(shared / (area(convention) + other.area(convention) - shared))
  }

  /// The box with its corners moved into an image of `width x height` pixels: to `0 ... width - 1` under the legacy
  /// convention, to `0 ... width` under the exclusive one.
  public func clipped(width: Int, height: Int, _ convention: BoxConvention = .legacy) -> Box {
    let right = Float(width) - Float(convention.offset)
    let bottom = Float(height) - Float(convention.offset)
    return Box(
      x0: min(max(x0, 0), right), y0: min(max(y0, 0), bottom),
      x1: min(max(x1, 0), right), y1: min(max(y1, 0), bottom))
  }

  /// True where no corner is a NaN or infinite.
  public var isFinite: Bool { x0.isFinite && y0.isFinite && x1.isFinite && y1.isFinite }

  /// The box in an image resized by the two factors; corners are scaled as they are, as published.
  public func scaled(x: Float, y: Float) -> Box { Box(x0: x0 * x, y0: y0 * y, x1: x1 * x, y1: y1 * y) }
}

extension Box: CustomStringConvertible {
  public var description: String { "(\(x0), \(y0))–(\(x1), \(y1))" }
}
