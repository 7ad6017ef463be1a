import Determinism

/// One drawn scene: the picture and what is where.
struct MiniatureScene {
  struct Segment {
    /// Index among the style's things followed by its stuff.
    let category: Int
    let isCrowd: Bool
    var area = 0
    /// Pixels the whole object would have without occlusion; 0 for stuff.
    var wholeArea = 0
    /// Inclusive pixel bounds.
    var bounds = (x0: Int.max, y0: Int.max, x1: -1, y1: -1)
  }

  let width: Int
  let height: Int
  /// Interleaved RGB.
  var pixels: [UInt8]
  /// 0 is void; `k` is `segments[k - 1]`.
  var labels: [UInt16]
  /// Only the segments that can be seen.
  var segments: [Segment]
}

/// Draws one scene from far to near: ground, paths and patches, then objects with their shadows.
struct SceneComposer {
  private let style: MiniatureStyle
  private let parameters: PanopticMiniature
  private var random: RandomStream
  private var canvas: Canvas
  private var segments: [MiniatureScene.Segment] = []
  /// Label of each stuff class that is in the scene already; 0 where it is not.
  private var stuffLabels: [UInt16]
  private var horizon: Double?
  private var light = SIMD2<Float>(0, 0)
  private var side: Double { Double(min(canvas.width, canvas.height)) }

  static func scene(_ parameters: PanopticMiniature, style: MiniatureStyle, random: RandomStream) -> MiniatureScene {
    var composer = SceneComposer(parameters, style: style, random: random)
    composer.drawGround()
    composer.drawUnknown()
    composer.drawCrowd()
    composer.drawObjects()
    return composer.finished()
  }

  private init(_ parameters: PanopticMiniature, style: MiniatureStyle, random: RandomStream) {
    self.style = style
    self.parameters = parameters
    self.random = random
    canvas = Canvas(width: parameters.width, height: parameters.height)
    stuffLabels = [UInt16](repeating: 0, count: style.stuff.count)
    let (s, c) = PortableMath.sincos(self.random.uniform(0, 2 * Double.pi))
    let strength = self.random.uniform(0.1, 0.32)
    light = SIMD2(Float(c * strength), Float(s * strength))
  }

  // MARK: Ground

  private mutating func drawGround() {
    let layout = pickLayout()
    let w = Double(canvas.width)
    let h = Double(canvas.height)
    let near = layout.near[random.below(layout.near.count)]
    guard let far = layout.far else {
      paintStuff(near, lying: false, coverage: nil)
      drawPatches(layout, below: 0.1 * h)
      return
    }
    let line = random.uniform(0.25, 0.6) * h
    let edge = wavyLine(at: line, waves: layout.waves, slope: random.uniform(-0.06, 0.06))
    paintStuff(far, lying: false, coverage: nil)
    if random.chance(layout.skylineChance), !layout.skyline.isEmpty {
      let name = layout.skyline[random.below(layout.skyline.count)]
      let top = line - random.uniform(0.1, 0.24) * h
      let waves = name == "water" || name == "bricks" ? 0 : random.uniform(0.03, 0.1)
      var rise = wavyLine(at: top, waves: waves, slope: name == "water" ? 0 : random.uniform(-0.1, 0.1))
      if name == "bricks", random.chance(0.6) {
        // A wall that ends inside the picture.
        let end = random.uniform(0.35, 0.65) * w
        let range = random.chance(0.5) ? 0...end : end...w
        rise = [[range.lowerBound, top], [range.upperBound, top]]
      }
      let region = rise + [[rise[rise.count - 1].x, line + 0.15 * h], [rise[0].x, line + 0.15 * h]]
      paintStuff(name, lying: false, coverage: covered([region]))
    }
    horizon = line
    paintStuff(near, lying: true, coverage: covered([edge + [[w, h], [0, h]]]))
    if !layout.path.isEmpty, random.chance(0.3) { drawPath(layout, from: line) }
    drawPatches(layout, below: line + 0.08 * h)
  }

  private mutating func pickLayout() -> SceneLayout {
    var ticket = random.below(style.layouts.reduce(0) { $0 + $1.weight })
    for layout in style.layouts {
      ticket -= layout.weight
      if ticket < 0 { return layout }
    }
    preconditionFailure("the weights of \(style.name) do not add up")
  }

  /// A line across the canvas from left to right.
  private mutating func wavyLine(at y: Double, waves: Double, slope: Double) -> [Point] {
    let w = Double(canvas.width)
    let parts = (0..<3).map { k in
      (
        amplitude: waves * Double(canvas.height) * random.uniform(0.3, 1) / Double(k + 1),
        frequency: random.uniform(0.7, 1.6) * Double(k + 1) * 2 * Double.pi, phase: random.uniform(0, 2 * Double.pi)
      )
    }
    return (0...32).map { i in
      let t = Double(i) / 32
      let wave = parts.reduce(0) { $0 + $1.amplitude * PortableMath.sin($1.frequency * t + $1.phase) }
      return [t * w, y + wave + slope * (t - 0.5) * w]
    }
  }

  /// A road that comes from the horizon and widens toward the eye.
  private mutating func drawPath(_ layout: SceneLayout, from line: Double) {
    let name = layout.path[random.below(layout.path.count)]
    let w = Double(canvas.width)
    let h = Double(canvas.height)
    let start = random.uniform(0.2, 0.8) * w
    let end = random.uniform(0.1, 0.9) * w
    let wide = random.uniform(0.1, 0.22) * w
    let bend = random.uniform(-0.2, 0.2) * w
    var left: [Point] = []
    var right: [Point] = []
    for i in 0...12 {
      let t = Double(i) / 12
      let x = start + (end - start) * t + bend * t * (1 - t) * 2
      let half = wide * (0.12 + 0.88 * t)
      let y = line + 2 + (h - line) * t
      left.append([x - half, y])
      right.append([x + half, y])
    }
    paintStuff(name, lying: true, coverage: covered([left + right.reversed()]))
  }

  private mutating func drawPatches(_ layout: SceneLayout, below top: Double) {
    guard !layout.patch.isEmpty else { return }
    let count =
      layout.patches.map { $0.lowerBound + random.below($0.count) } ?? random.below(2) + (horizon == nil ? 1 : 0)
    for _ in 0..<count {
      let name = layout.patch[random.below(layout.patch.count)]
      let h = Double(canvas.height)
      let centre: Point = [random.uniform(0.1, 0.9) * Double(canvas.width), random.uniform(top + 0.1 * h, 0.95 * h)]
      let radius = random.uniform(layout.patchRadius.lowerBound, layout.patchRadius.upperBound) * side
      let flat = horizon == nil ? random.uniform(0.7, 1) : random.uniform(0.35, 0.6)
      let loop = Loop.blob(unrest: 0.25, using: &random).map { p in centre + [p.x * radius, p.y * radius * flat] }
      paintStuff(name, lying: horizon != nil, coverage: covered([loop]))
    }
  }

  private mutating func paintStuff(_ name: String, lying: Bool, coverage: Coverage?) {
    guard let k = style.stuff.firstIndex(where: { $0.name == name }) else {
      preconditionFailure("style \(style.name) has no stuff called \(name)")
    }
    let ground = Ground(
      style.stuff[k], horizon: lying ? horizon : nil, width: canvas.width, height: canvas.height, using: &random)
    if stuffLabels[k] == 0 { stuffLabels[k] = addSegment(category: style.things.count + k, isCrowd: false) }
    if let coverage {
      canvas.paint(coverage, label: stuffLabels[k]) { ground.colour($0, $1) }
    } else {
      canvas.fill(label: stuffLabels[k]) { ground.colour($0, $1) }
    }
  }

  // MARK: Objects

  /// A grey lump that no category names: void in the labels.
  private mutating func drawUnknown() {
    guard random.chance(parameters.voidProbability) else { return }
    let radius = random.uniform(0.06, 0.12) * side
    let centre: Point = [
      random.uniform(0.1, 0.9) * Double(canvas.width), random.uniform(0.3, 0.9) * Double(canvas.height),
    ]
    let loop = Loop.blob(unrest: 0.35, using: &random).map { centre + $0 * radius }
    let grey = Colour(hue: random.uniform(), saturation: 0.08, value: random.uniform(0.3, 0.55))
    let noise = LatticeNoise(seed: UInt32(truncatingIfNeeded: random.next()))
    let light = self.light
    canvas.paint(covered([loop]), label: 0) { x, y in
      let arm = SIMD2(x - Float(centre.x), y - Float(centre.y)) / Float(radius)
      return grey * (0.8 + 0.4 * noise.smooth(x / 3, y / 3)) * (1 + light.x * arm.x + light.y * arm.y)
    }
  }

  /// A heap of small objects of one kind, one segment together.
  private mutating func drawCrowd() {
    guard random.chance(parameters.crowdProbability) else { return }
    let k = random.below(style.things.count)
    let w = Double(canvas.width)
    let h = Double(canvas.height)
    let centre: Point = [random.uniform(0.25, 0.75) * w, random.uniform(0.4, 0.8) * h]
    let spread = random.uniform(0.1, 0.16) * side
    let size = random.uniform(0.03, 0.05) * side
    let label = addSegment(category: k, isCrowd: true)
    for _ in 0..<7 + random.below(8) {
      let offset = Point(random.normal(), random.normal() * 0.6) * spread * 0.7
      drawObject(k, at: centre + offset, radius: size * random.uniform(0.8, 1.3), label: label)
    }
  }

  private mutating func drawObjects() {
    let counts = parameters.objects
    let count = counts.minimum + random.below(counts.maximum - counts.minimum + 1)
    var places: [(kind: Int, centre: Point, radius: Double)] = []
    for _ in 0..<count {
      let size = objectSize()
      var centre = Point.zero
      // A few tries for a place that does not hide an earlier object; the last one stands.
      for _ in 0..<5 {
        centre = [
          random.uniform(0.06, 0.94) * Double(canvas.width), random.uniform(0.1, 0.95) * Double(canvas.height),
        ]
        let free = places.allSatisfy { p in
          let d = p.centre - centre
          return (d * d).sum() > 0.36 * (p.radius + size / 2) * (p.radius + size / 2)
        }
        if free { break }
      }
      places.append((random.below(style.things.count), centre, size / 2))
    }
    // Nearer objects stand lower and cover the ones behind.
    let order = places.indices.sorted { a, b in
      let (p, q) = (places[a].centre.y + places[a].radius, places[b].centre.y + places[b].radius)
      return p != q ? p < q : a < b
    }
    for i in order {
      let label = addSegment(category: places[i].kind, isCrowd: false)
      drawObject(places[i].kind, at: places[i].centre, radius: places[i].radius, label: label)
    }
  }

  /// From tiny to large on a logarithmic scale, with most a little above the middle.
  private mutating func objectSize() -> Double {
    let bounds = parameters.objectSizes
    let t = (random.uniform() + max(random.uniform(), random.uniform())) / 2
    return bounds.minimum * PortableMath.pow(bounds.maximum / bounds.minimum, t) * side
  }

  private mutating func drawObject(_ k: Int, at centre: Point, radius: Double, label: UInt16) {
    let kind = style.things[k]
    let figure = ObjectFigure(kind, centre: centre, radius: radius, light: light, using: &random)
    segments[Int(label) - 1].wholeArea += figure.paint(on: &canvas, label: label)
  }

  // MARK: Ends

  private mutating func addSegment(category: Int, isCrowd: Bool) -> UInt16 {
    segments.append(MiniatureScene.Segment(category: category, isCrowd: isCrowd))
    return UInt16(segments.count)
  }

  private func covered(_ loops: [[Point]]) -> Coverage {
    Coverage(loops, canvasWidth: canvas.width, canvasHeight: canvas.height)
  }

  /// Measures the segments, turns those that can hardly be seen into void, and develops the picture.
  private mutating func finished() -> MiniatureScene {
    for y in 0..<canvas.height {
      for x in 0..<canvas.width {
        let label = Int(canvas.labels[y * canvas.width + x])
        guard label > 0 else { continue }
        segments[label - 1].area += 1
        let b = segments[label - 1].bounds
        segments[label - 1].bounds = (min(b.x0, x), min(b.y0, y), max(b.x1, x), max(b.y1, y))
      }
    }
    var renamed = [UInt16](repeating: 0, count: segments.count + 1)
    var kept: [MiniatureScene.Segment] = []
    for (i, s) in segments.enumerated() {
      let isThing = s.category < style.things.count
      let visible =
        isThing
        ? s.area >= parameters.minimumThingArea && s.area * 6 >= s.wholeArea : s.area >= parameters.minimumStuffArea
      guard visible else { continue }
      kept.append(s)
      renamed[i + 1] = UInt16(kept.count)
    }
    let camera = Camera(using: &random)
    return MiniatureScene(
      width: canvas.width, height: canvas.height, pixels: camera.develop(canvas),
      labels: canvas.labels.map { renamed[Int($0)] }, segments: kept)
  }
}
