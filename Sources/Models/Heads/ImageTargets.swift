import Vision

/// Ground-truth targets of one image of a training batch.
public struct ImageTargets: Sendable {
  /// Size before padding.
  public var width: Int
  public var height: Int
  /// Semantic labels over the *padded* image, row-major: 0 for all things, 1... stuff, 255 ignored (also the padding).
  public var semantic: [Int32]
  /// Objects of the classes of things; no crowd regions.
  public var instances: [GroundTruthInstance]

  public init(width: Int, height: Int, semantic: [Int32], instances: [GroundTruthInstance]) {
    self.width = width
    self.height = height
    self.semantic = semantic
    self.instances = instances
  }

  /// The same with boxes as a network's convention has them.
  func converted(to convention: BoxConvention) -> ImageTargets {
    guard convention == .exclusive else { return self }
    var copy = self
    for i in copy.instances.indices {
      let box = copy.instances[i].box
      copy.instances[i].box = Box(box.x0, box.y0, box.x1 + 1, box.y1 + 1)
    }
    return copy
  }
}

extension Box {
  /// A box whose far corner is its last pixel, from one as a network's convention has it.
  func inclusive(from convention: BoxConvention) -> Box {
    convention == .legacy ? self : Box(x0, y0, x1 - 1, y1 - 1)
  }
}
