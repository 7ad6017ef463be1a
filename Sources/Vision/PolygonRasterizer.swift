/// Turns polygons into masks exactly as COCO's tools do.
///
/// The outline is drawn on a grid five times as fine. Wherever it steps from one fine column to the next it marks
/// one pixel row of one column; in column-major order the marks toggle between outside and inside. So a pixel column
/// is filled between crossings of a line near its centre, and coordinates are pixel *edges*: a square from 1 to 3
/// fills two columns.
public enum PolygonRasterizer {
  private static let scale = 5.0

  /// - Parameter coordinates: `x0, y0, x1, y1, ...` in pixels; the last vertex joins the first.
  /// - Precondition: an even number of finite coordinates below 10⁷ in magnitude (readers of files check this).
  public static func rasterize(_ coordinates: [Double], width: Int, height: Int) -> RunLengthMask {
    precondition(
      coordinates.count % 2 == 0 && coordinates.allSatisfy { abs($0) < 1e7 },
      "rasterize: \(coordinates.count) coordinates, all must be finite and below 1e7")
    var toggles = crossings(of: outline(coordinates), width: width, height: height)
    toggles.append(width * height)
    toggles.sort()
    // Toggles at the same place cancel in pairs.
    var runs = [toggles[0]]
    var i = 1
    while i < toggles.count {
      let run = toggles[i] - toggles[i - 1]
      i += 1
      if run > 0 {
        runs.append(run)
      } else if i < toggles.count {
        runs[runs.count - 1] += toggles[i] - toggles[i - 1]
        i += 1
      }
    }
    return RunLengthMask(width: width, height: height, counts: runs)
  }

  /// Several rings, joined as a union.
  public static func rasterize(rings: [[Double]], width: Int, height: Int) -> RunLengthMask {
    if rings.isEmpty { return RunLengthMask(width: width, height: height, counts: [width * height]) }
    return RunLengthMask.merged(rings.map { rasterize($0, width: width, height: height) })
  }

  /// A box, through its four corners.
  public static func rasterize(_ box: COCOBox, width: Int, height: Int) -> RunLengthMask {
    let (right, bottom) = (box.x + box.width, box.y + box.height)
    return rasterize([box.x, box.y, box.x, bottom, right, bottom, right, box.y], width: width, height: height)
  }

  private typealias Point = (x: Int, y: Int)

  /// All points of the closed outline on the fine grid, edge after edge, ends included.
  private static func outline(_ coordinates: [Double]) -> [Point] {
    var vertices = stride(from: 0, to: coordinates.count, by: 2).map { i -> Point in
      (Int(scale * coordinates[i] + 0.5), Int(scale * coordinates[i + 1] + 0.5))
    }
    guard let first = vertices.first else { return [] }
    vertices.append(first)
    var points = [Point]()
    for (from, to) in zip(vertices, vertices.dropFirst()) {
      let (dx, dy) = (abs(to.x - from.x), abs(to.y - from.y))
      // Always drawn from the lower end of the longer axis, so that an edge shared by two polygons is one line.
      let isReversed = dx >= dy ? from.x > to.x : from.y > to.y
      let (start, end) = isReversed ? (to, from) : (from, to)
      let length = max(dx, dy)
      let slope = length == 0 ? 0 : Double(dx >= dy ? end.y - start.y : end.x - start.x) / Double(length)
      for step in 0...length {
        let t = isReversed ? length - step : step
        points.append(
          dx >= dy
            ? (start.x + t, Int(Double(start.y) + slope * Double(t) + 0.5))
            : (Int(Double(start.x) + slope * Double(t) + 0.5), start.y + t))
      }
    }
    return points
  }

  /// Column-major indices at which the outline enters or leaves a column.
  private static func crossings(of points: [Point], width: Int, height: Int) -> [Int] {
    var indices = [Int]()
    for (a, b) in zip(points, points.dropFirst()) where a.x != b.x {
      // Fine columns 2, 7, 12, ... are the centres of pixel columns 0, 1, 2, ...
      let column = (Double(b.x < a.x ? b.x : b.x - 1) + 0.5) / scale - 0.5
      guard column.rounded(.down) == column, column >= 0, column <= Double(width - 1) else { continue }
      let row = (Double(min(a.y, b.y)) + 0.5) / scale - 0.5
      indices.append(Int(column) * height + Int(min(max(row, 0), Double(height)).rounded(.up)))
    }
    return indices
  }
}
