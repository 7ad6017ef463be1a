extension BinaryMask {
  /// The target of a mask head for a proposal: the mask inside the box, resampled to `size x size` cells.
  ///
  /// The rule is exact area coverage. Pixel `(x, y)` covers `[x, x + 1) × [y, y + 1)`; the box is cut into `size x
  /// size` equal cells; a cell is 1 where at least half of its area is mask. Outside the image nothing is mask.
  /// This stands in for rasterising the polygon at `size x size`: it needs no polygon, and depends on no rasteriser.
  ///
  /// - Parameters:
  ///   - box: a proposal in pixels of this mask.
  ///   - size: cells per side; 28 in the published network.
  ///   - extent: how far the box reaches. The published crop takes the exclusive width `x1 - x0` even of legacy boxes;
  ///     `.legacy` takes `x1 - x0 + 1`, which is what pasting fills. Sides below one pixel count as one.
  /// - Returns: `size * size` values, 0 or 1, row-major.
  public func target(in box: Box, size: Int, extent: BoxConvention = .exclusive) -> [Float] {
    precondition(size > 0 && box.isFinite, "target: size \(size), box \(box)")
    let columns = Coverage(
      start: Double(box.x0), length: max(box.width(extent), 1), cells: size, limit: width)
    let rows = Coverage(
      start: Double(box.y0), length: max(box.height(extent), 1), cells: size, limit: height)
    let half = 0.5 * columns.cellLength * rows.cellLength
    var target = [Float](repeating: 0, count: size * size)
    var covered = [Double](repeating: 0, count: size)
    for cellY in 0..<size {
      for cellX in 0..<size { covered[cellX] = 0 }
      for y in rows.pixels(of: cellY) {
        let rowWeight = rows.overlap(cell: cellY, pixel: y)
        for cellX in 0..<size {
          var sum = 0.0
          for x in columns.pixels(of: cellX) where pixels[y * width + x] != 0 {
            sum += columns.overlap(cell: cellX, pixel: x)
          }
          covered[cellX] += rowWeight * sum
        }
      }
      for cellX in 0..<size where covered[cellX] >= half { target[cellY * size + cellX] = 1 }
    }
    return target
  }
}

/// One axis of a grid of equal cells over pixels.
private struct Coverage {
  let start: Double
  let cellLength: Double
  let limit: Int

  init(start: Double, length: Double, cells: Int, limit: Int) {
    self.start = start
    cellLength = length / Double(cells)
    self.limit = limit
  }

  private func edge(_ cell: Int) -> Double { start + Double(cell) * cellLength }

  /// Pixels inside the image that the cell touches.
  func pixels(of cell: Int) -> Range<Int> {
    let first = min(max(edge(cell).rounded(.down), 0), Double(limit))
    let end = min(max(edge(cell + 1).rounded(.up), first), Double(limit))
    return Int(first)..<Int(end)
  }

  /// Length shared by a cell and a pixel.
  func overlap(cell: Int, pixel: Int) -> Double {
    max(0, min(edge(cell + 1), Double(pixel + 1)) - max(edge(cell), Double(pixel)))
  }
}
