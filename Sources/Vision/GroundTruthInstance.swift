/// One object of an image as training reads it: its label, its box, its pixels.
public struct GroundTruthInstance: Hashable, Sendable {
  /// The class that the heads predict: 1 for the first class of things; 0 is background.
  public var label: Int
  /// In pixels of the network's input; both corners are pixels of the object.
  public var box: Box
  /// The pixels inside the box: as wide and high as it is.
  public var mask: BinaryMask

  public init(label: Int, box: Box, mask: BinaryMask) {
    self.label = label
    self.box = box
    self.mask = mask
  }

  /// The target of the mask head for a region of the image: `size²` cells, 0 or 1, row-major; see
  /// `BinaryMask.target`.
  public func maskTarget(in region: Box, size: Int) -> [Float] {
    let shifted = Box(
      x0: region.x0 - box.x0, y0: region.y0 - box.y0, x1: region.x1 - box.x0, y1: region.y1 - box.y0)
    return mask.target(in: shifted, size: size)
  }
}
