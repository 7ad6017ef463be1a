/// A box as COCO files write it: near corner, width, height, in pixels, far side exclusive.
public struct COCOBox: Hashable, Sendable {
  public var x: Double
  public var y: Double
  public var width: Double
  public var height: Double

  public init(x: Double, y: Double, width: Double, height: Double) {
    (self.x, self.y, self.width, self.height) = (x, y, width, height)
  }

  /// Overlap as pycocotools counts it: over the union, or over this box's own area where `other` is a crowd region.
  public func iou(_ other: COCOBox, isCrowd: Bool = false) -> Double {
    let w = min(x + width, other.x + other.width) - max(x, other.x)
    let h = min(y + height, other.y + other.height) - max(y, other.y)
    guard w > 0, h > 0 else { return 0 }
    let shared = w * h
    let own = width * height
    return shared / (isCrowd ? own : own + other.width * other.height - shared)
  }

  /// The same box with its far corner, under `convention`.
  public func box(_ convention: BoxConvention = .legacy) -> Box {
    Box(
      x0: Float(x), y0: Float(y),
      x1: Float(x + width - convention.offset), y1: Float(y + height - convention.offset))
  }
}
