/// Puts the small probability map of a mask head back into its box in the image.
///
/// The map gets a border of `padding` zeros, the box grows about its centre by the same proportion (30/28 for 28 cells
/// and a border of 1), its corners are truncated to whole pixels, and the bordered map is resampled to that box by
/// bilinear interpolation that is not corner-aligned. Steps run in binary64; the corners are rounded to binary32 once
/// before truncation, as published.
public struct MaskPasting: Hashable, Sendable {
  public var padding: Int
  /// A pixel is inside where its probability is *above* this.
  public var threshold: Double

  public init(padding: Int = 1, threshold: Double = 0.5) {
    precondition(padding >= 0, "MaskPasting: padding \(padding)")
    (self.padding, self.threshold) = (padding, threshold)
  }

  /// - Parameters:
  ///   - probabilities: `size * size` values in `[0, 1]`, row-major.
  ///   - box: legacy convention, in pixels of the image.
  /// - Returns: a mask of the image's size; empty where the box misses the image.
  public func paste(_ probabilities: [Float], size: Int, in box: Box, width: Int, height: Int) -> BinaryMask {
    precondition(
      probabilities.count == size * size && box.isFinite,
      "paste: \(probabilities.count) values for size \(size), \(box)")
    var mask = BinaryMask(width: width, height: height)
    let columns = Axis(near: box.x0, far: box.x1, size: size, padding: padding, limit: width)
    let rows = Axis(near: box.y0, far: box.y1, size: size, padding: padding, limit: height)
    for y in rows.pixels {
      let v = rows.tap(y)
      for x in columns.pixels {
        let u = columns.tap(x)
        func value(_ column: Int, _ row: Int) -> Double {
          guard (0..<size).contains(column), (0..<size).contains(row) else { return 0 }
          return Double(probabilities[row * size + column])
        }
        let top = (1 - u.fraction) * value(u.low, v.low) + u.fraction * value(u.high, v.low)
        let bottom = (1 - u.fraction) * value(u.low, v.high) + u.fraction * value(u.high, v.high)
        if (1 - v.fraction) * top + v.fraction * bottom > threshold { mask[x, y] = true }
      }
    }
    return mask
  }
}

/// One axis: whole pixels of the grown box, and where each falls in the bordered map.
private struct Axis {
  let first: Int
  let count: Int
  let cells: Int
  let padding: Int
  /// Pixels of the box inside the image.
  let pixels: Range<Int>

  init(near: Float, far: Float, size: Int, padding: Int, limit: Int) {
    let scale = Double(size + 2 * padding) / Double(size)
    let half = (Double(far) - Double(near)) * 0.5 * scale
    let centre = (Double(far) + Double(near)) * 0.5
    first = Axis.truncate(centre - half)
    count = max(Axis.truncate(centre + half) - first + 1, 1)
    cells = size + 2 * padding
    self.padding = padding
    let start = min(max(first, 0), limit)
    pixels = start..<min(max(first + count, start), limit)
  }

  /// Toward zero; corners far outside any image stay there.
  private static func truncate(_ corner: Double) -> Int {
    Int(min(max(Float(corner), -1e6), 1e6).rounded(.towardZero))
  }

  /// The two cells around a pixel, counted in the map without border, and the weight of the second.
  func tap(_ pixel: Int) -> (low: Int, high: Int, fraction: Double) {
    let source = max((Double(pixel - first) + 0.5) * Double(cells) / Double(count) - 0.5, 0)
    let low = min(Int(source), cells - 1)
    return (low - padding, min(low + 1, cells - 1) - padding, source - Double(low))
  }
}
