/// The boxes that a region proposal network starts from: a few centred on every cell of every pyramid level.
///
/// A level of stride `s` starts with the window `(0, 0, s - 1, s - 1)`. For each ratio `r = height / width` the window
/// gets width `round(√(s² / r))` and height `round(width · r)`, both to the nearest even on ties, and keeps its centre.
/// Then its sides are multiplied by `size / s` for each size of the level, and it is shifted by multiples of the stride. Corners follow the legacy convention. All values are exact in binary32 for the usual strides and sizes.
///
/// Under the exclusive convention anchors are torchvision's: `size / √r` wide and `size · √r` high, centred on the corner
/// of their cell, corners rounded to the nearest even on ties.
public struct AnchorGenerator: Hashable, Sendable {
  /// One pyramid level.
  public struct Level: Hashable, Sendable {
    /// Image pixels per feature cell.
    public var stride: Int
    /// Sides, in image pixels, of the square anchors.
    public var sizes: [Double]

    public init(stride: Int, sizes: [Double]) {
      precondition(
        stride > 0 && !sizes.isEmpty && sizes.allSatisfy { $0 > 0 }, "Level: stride \(stride), sizes \(sizes)")
      (self.stride, self.sizes) = (stride, sizes)
    }
  }

  public let levels: [Level]
  /// Heights over widths.
  public let ratios: [Double]
  /// The anchors of cell `(0, 0)`, per level: ratio-major, then by size.
  public let cellAnchors: [[Box]]

  public init(levels: [Level], ratios: [Double] = [0.5, 1, 2], convention: BoxConvention = .legacy) {
    precondition(!ratios.isEmpty && ratios.allSatisfy { $0 > 0 }, "AnchorGenerator: ratios \(ratios)")
    self.levels = levels
    self.ratios = ratios
    cellAnchors = levels.map { level in
      ratios.flatMap { ratio in
        level.sizes.map { size in
          convention == .legacy
            ? AnchorGenerator.cellAnchor(stride: level.stride, size: size, ratio: ratio)
            : AnchorGenerator.cornerAnchor(size: size, ratio: ratio)
        }
      }
    }
  }

  /// Anchors per cell of level `index`; also the number of objectness channels.
  public func anchorsPerCell(level index: Int) -> Int { cellAnchors[index].count }

  /// All anchors of one level whose feature map has `gridWidth x gridHeight` cells: row-major over cells, then in the
  /// order of `cellAnchors`. Anchors that leave the image are included.
  public func anchors(level index: Int, gridWidth: Int, gridHeight: Int) -> [Box] {
    let stride = Float(levels[index].stride)
    var result = [Box]()
    result.reserveCapacity(gridWidth * gridHeight * cellAnchors[index].count)
    for row in 0..<gridHeight {
      let dy = Float(row) * stride
      for column in 0..<gridWidth {
        let dx = Float(column) * stride
        for a in cellAnchors[index] {
          result.append(Box(x0: a.x0 + dx, y0: a.y0 + dy, x1: a.x1 + dx, y1: a.y1 + dy))
        }
      }
    }
    return result
  }

  private static func cornerAnchor(size: Double, ratio: Double) -> Box {
    let side = ratio.squareRoot()
    let halfW = Float((size / side / 2).rounded(.toNearestOrEven))
    let halfH = Float((size * side / 2).rounded(.toNearestOrEven))
    return Box(x0: -halfW, y0: -halfH, x1: halfW, y1: halfH)
  }

  private static func cellAnchor(stride: Int, size: Double, ratio: Double) -> Box {
    let side = Double(stride)
    let centre = 0.5 * (side - 1)
    let w = (side * side / ratio).squareRoot().rounded(.toNearestOrEven)
    let h = (w * ratio).rounded(.toNearestOrEven)
    let halfW = 0.5 * (w * (size / side) - 1)
    let halfH = 0.5 * (h * (size / side) - 1)
    return Box(
      x0: Float(centre - halfW), y0: Float(centre - halfH), x1: Float(centre + halfW), y1: Float(centre + halfH))
  }
}

extension Box {
  /// True where the box leaves an image of `width x height` pixels by at most `margin`. Only such anchors enter the losses.
  public func isInside(
    width: Int, height: Int, margin: Float = 0, _ convention: BoxConvention = .legacy
  ) -> Bool {
    // The last pixel of a box with whole corners.
    let back: Float = convention == .legacy ? 0 : 1
    return x0 >= -margin && y0 >= -margin && x1 - back < Float(width) + margin && y1 - back < Float(height) + margin
  }
}
