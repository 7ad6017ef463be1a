/// How much of each pixel of a window an outline covers.
struct Coverage {
  /// The window in canvas pixels; empty where nothing of the outline is on the canvas.
  let x0: Int, y0: Int, width: Int, height: Int
  /// Row-major, in [0, 1].
  var values: [Float]

  /// Rasterises loops with the non-zero winding rule: eight rows of samples in a pixel, exact along each row.
  ///
  /// - Parameters:
  ///   - loops: corners in canvas pixels; the pixel (i, j) is the square from (i, j) to (i + 1, j + 1).
  ///   - margin: pixels added around the outline's bounds, so that a blur has room.
  init(_ loops: [[Point]], canvasWidth: Int, canvasHeight: Int, margin: Int = 0) {
    var low = Point(repeating: .infinity)
    var high = Point(repeating: -.infinity)
    for p in loops.joined() {
      low = pointwiseMin(low, p)
      high = pointwiseMax(high, p)
    }
    func clamp(_ v: Double, _ limit: Int) -> Int { Int(min(max(v, 0), Double(limit))) }
    x0 = clamp(low.x.rounded(.down) - Double(margin), canvasWidth)
    y0 = clamp(low.y.rounded(.down) - Double(margin), canvasHeight)
    width = max(0, clamp(high.x.rounded(.up) + Double(margin), canvasWidth) - x0)
    height = max(0, clamp(high.y.rounded(.up) + Double(margin), canvasHeight) - y0)
    values = [Float](repeating: 0, count: width * height)
    guard width > 0, height > 0 else { return }

    let edges = Coverage.edges(of: loops)
    var crossings: [(x: Double, turn: Int)] = []
    for row in 0..<height {
      for sample in 0..<Coverage.samples {
        let y = Double(y0 + row) + (Double(sample) + 0.5) / Double(Coverage.samples)
        crossings.removeAll(keepingCapacity: true)
        for e in edges where (e.a.y <= y) != (e.b.y <= y) {
          crossings.append((e.a.x + (y - e.a.y) / (e.b.y - e.a.y) * (e.b.x - e.a.x), e.a.y < e.b.y ? 1 : -1))
        }
        crossings.sort { $0.x < $1.x }
        var winding = 0
        for i in 0..<max(0, crossings.count - 1) {
          winding += crossings[i].turn
          if winding != 0 { addSpan(from: crossings[i].x, to: crossings[i + 1].x, row: row) }
        }
      }
    }
  }

  private static let samples = 8

  private static func edges(of loops: [[Point]]) -> [(a: Point, b: Point)] {
    loops.flatMap { loop in loop.indices.map { (loop[$0], loop[($0 + 1) % loop.count]) } }
  }

  private mutating func addSpan(from start: Double, to end: Double, row: Int) {
    let a = min(max(start - Double(x0), 0), Double(width))
    let b = min(max(end - Double(x0), 0), Double(width))
    guard b > a else { return }
    let weight = 1 / Float(Coverage.samples)
    let first = Int(a)
    let last = min(Int(b), width - 1)
    let base = row * width
    if first == last {
      values[base + first] += Float(b - a) * weight
      return
    }
    values[base + first] += Float(Double(first + 1) - a) * weight
    if last > first + 1 { for x in first + 1..<last { values[base + x] += weight } }
    values[base + last] += Float(b - Double(last)) * weight
  }

  /// Two box blurs of side `2 radius + 1`.
  func blurred(radius: Int) -> Coverage {
    guard radius > 0, width > 0 else { return self }
    var result = self
    for _ in 0..<2 {
      result.boxBlur(count: height, length: width, step: 1, next: width, radius: radius)
      result.boxBlur(count: width, length: height, step: width, next: 1, radius: radius)
    }
    return result
  }

  private mutating func boxBlur(count: Int, length: Int, step: Int, next: Int, radius: Int) {
    let scale = 1 / Float(2 * radius + 1)
    var line = [Float](repeating: 0, count: length)
    for k in 0..<count {
      for i in 0..<length { line[i] = values[k * next + i * step] }
      for i in 0..<length {
        var sum: Float = 0
        for j in max(0, i - radius)...min(length - 1, i + radius) { sum += line[j] }
        values[k * next + i * step] = sum * scale
      }
    }
  }
}
