import Vision

/// What one image of a training batch should be seen as.
public struct ImageTargets: Sendable {
  /// One object: its label, its place, its pixels.
  public struct Instance: Sendable {
    /// Network label, 1 for the first thing class; 0 is background.
    public var label: Int
    /// In pixels of the network's input, legacy convention.
    public var box: Box
    /// The pixels inside the box: as wide and high as it is.
    public var mask: BinaryMask

    public init(label: Int, box: Box, mask: BinaryMask) {
      self.label = label
      self.box = box
      self.mask = mask
    }

    /// What the mask head should predict for a region: `size²` cells, 0 or 1 (see `BinaryMask.target`).
    func maskTarget(in region: Box, size: Int) -> [Float] {
      let shifted = Box(
        x0: region.x0 - box.x0, y0: region.y0 - box.y0, x1: region.x1 - box.x0, y1: region.y1 - box.y0)
      return mask.target(in: shifted, size: size)
    }
  }

  /// Size before padding.
  public var width: Int
  public var height: Int
  /// Semantic labels over the *padded* canvas, row-major: 0 any thing, 1... stuff, 255 ignored (also the padding).
  public var semantic: [Int32]
  public var instances: [Instance]

  public init(width: Int, height: Int, semantic: [Int32], instances: [Instance]) {
    self.width = width
    self.height = height
    self.semantic = semantic
    self.instances = instances
  }
}

extension ImageTargets {
  /// The same with far corners outside the boxes.
  var exclusive: ImageTargets {
    var copy = self
    for i in copy.instances.indices {
      let box = copy.instances[i].box
      copy.instances[i].box = Box(box.x0, box.y0, box.x1 + 1, box.y1 + 1)
    }
    return copy
  }
}

extension Box {
  /// A box with its far corner outside, as one whose far corner is its last pixel.
  var inclusive: Box { Box(x0, y0, x1 - 1, y1 - 1) }
}
