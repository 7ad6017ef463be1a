import Determinism

/// A point or vector in the plane, x to the right, y down.
typealias Point = SIMD2<Double>

/// The silhouette of a kind of object. Every instance draws its own proportions.
public enum Outline: String, Codable, Sendable, CaseIterable {
  case ball, ring, kite, star, cross, bolt, gear, moon
  case house, key, arrow, heart, fish, fir, hourglass, flower, mug, leaf, shirt, boat

  /// Closed loops in a box of about [-1, 1]²; a point is inside where the winding number is not zero, so loops of one
  /// direction unite and a loop of the other direction cuts a hole.
  func loops(using random: inout RandomStream) -> [[Point]] {
    switch self {
    case .ball: return [Loop.circle(radius: 1)]
    case .ring:
      return [Loop.circle(radius: 1), Loop.hole(Loop.circle(radius: random.uniform(0.42, 0.6)))]
    case .kite:
      let lean = random.uniform(-0.25, 0.25)
      return [[[lean, -1], [0.95, 0.8], [-0.95, 0.8]]]
    case .star:
      let inner = random.uniform(0.38, 0.48)
      let points = 5 + random.below(2)
      return [Loop.polar(points * 2) { $0 % 2 == 0 ? 1 : inner }]
    case .cross:
      let w = random.uniform(0.24, 0.36)
      return [
        [
          [-w, -1], [w, -1], [w, -w], [1, -w], [1, w], [w, w], [w, 1], [-w, 1], [-w, w], [-1, w], [-1, -w], [-w, -w],
        ]
      ]
    case .bolt:
      let k = random.uniform(-0.08, 0.08)
      return [
        [
          [0.25 + k, -1], [-0.6, 0.12], [-0.1, 0.12], [-0.35 + k, 1], [0.62, -0.22], [0.12, -0.22], [0.62, -1],
        ]
      ]
    case .gear:
      let teeth = 7 + random.below(3)
      let root = random.uniform(0.68, 0.76)
      let wheel = Loop.polar(teeth * 4) { $0 % 4 < 2 ? 1 : root }
      return [wheel, Loop.hole(Loop.circle(radius: random.uniform(0.22, 0.34)))]
    case .moon: return [Loop.crescent(horn: random.uniform(0.75, 0.95), depth: random.uniform(0.75, 1))]
    default: return secondLoops(using: &random)
    }
  }

  /// The shapes that only the classification set uses.
  private func secondLoops(using random: inout RandomStream) -> [[Point]] {
    switch self {
    case .house:
      let eaves = random.uniform(-0.25, -0.05)
      let door = random.uniform(0.14, 0.24)
      return [
        [[0, -1], [1, eaves], [0.8, eaves], [0.8, 0.9], [-0.8, 0.9], [-0.8, eaves], [-1, eaves]],
        Loop.hole(Loop.box(-door, 0.3, door, 0.9)),
      ]
    case .key:
      let head = random.uniform(0.36, 0.44)
      return [
        Loop.circle(radius: head, at: [-0.6, 0]), Loop.hole(Loop.circle(radius: head * 0.5, at: [-0.6, 0])),
        Loop.box(-0.25, -0.1, 1, 0.1), Loop.box(0.8, 0, 0.98, 0.42), Loop.box(0.45, 0, 0.62, 0.34),
      ]
    case .arrow:
      let w = random.uniform(0.16, 0.28)
      return [[[1, 0], [0.2, -0.75], [0.2, -w], [-1, -w], [-1, w], [0.2, w], [0.2, 0.75]]]
    case .heart: return [Loop.heart()]
    case .fish:
      let body = random.uniform(0.42, 0.58)
      return [
        Loop.circle(radius: 0.72, at: [0.26, 0], flattening: body / 0.72), [[-0.3, 0], [-1, -0.5], [-1, 0.5]],
      ]
    case .fir:
      return [
        [[0, -1], [0.45, -0.35], [-0.45, -0.35]], [[0, -0.65], [0.65, 0.2], [-0.65, 0.2]],
        [[0, -0.1], [0.85, 0.72], [-0.85, 0.72]], Loop.box(-0.14, 0.6, 0.14, 1),
      ]
    case .hourglass:
      let waist = random.uniform(0.06, 0.16)
      return [[[-0.8, -1], [0.8, -1], [waist, 0], [0.8, 1], [-0.8, 1], [-waist, 0]]]
    case .flower:
      let petals = Double(5 + random.below(2))
      let depth = random.uniform(0.2, 0.28)
      let loop = Loop.polar(60) { 1 - depth + depth * PortableMath.cos(petals * Double($0) * Double.pi / 30) }
      return [loop, Loop.hole(Loop.circle(radius: 0.2))]
    case .mug:
      return [
        Loop.box(-0.85, -0.8, 0.45, 0.85), Loop.circle(radius: 0.45, at: [0.5, 0]),
        Loop.hole(Loop.circle(radius: 0.26, at: [0.56, 0])),
      ]
    case .leaf: return [Loop.leaf(width: random.uniform(0.4, 0.55))]
    case .shirt:
      let sleeve = random.uniform(0.05, 0.25)
      return [
        [
          [-0.3, -0.8], [0, -0.62], [0.3, -0.8], [1, -0.5], [0.85, sleeve], [0.55, -0.1], [0.55, 0.9], [-0.55, 0.9],
          [-0.55, -0.1], [-0.85, sleeve], [-1, -0.5],
        ]
      ]
    case .boat:
      return [
        [[-1, 0.35], [1, 0.35], [0.65, 0.85], [-0.65, 0.85]], Loop.box(-0.06, -1, 0.06, 0.4),
        [[0.14, -0.9], [0.85, 0.2], [0.14, 0.2]], [[-0.14, -0.6], [-0.14, 0.2], [-0.6, 0.2]],
      ]
    default: preconditionFailure("\(self) has its loops above")
    }
  }
}

/// Makers of closed loops, all in one direction (clockwise on the screen).
enum Loop {
  /// `count` corners at equal angles from the top; `radius` of each.
  static func polar(_ count: Int, _ radius: (Int) -> Double) -> [Point] {
    (0..<count).map { i in
      let (s, c) = PortableMath.sincos(2 * Double.pi * Double(i) / Double(count))
      return Point(s, -c) * radius(i)
    }
  }

  static func circle(radius: Double, at centre: Point = .zero, flattening: Double = 1) -> [Point] {
    polar(36) { _ in radius }.map { Point($0.x, $0.y * flattening) + centre }
  }

  static func box(_ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double) -> [Point] {
    [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
  }

  /// The same loop in the other direction.
  static func hole(_ loop: [Point]) -> [Point] { loop.reversed() }

  /// An outer arc from horn to horn, and a parabola back that leaves `depth` out.
  static func crescent(horn: Double, depth: Double) -> [Point] {
    let steps = 24
    var points: [Point] = (0...steps).map { i in
      let (s, c) = PortableMath.sincos(horn + (2 * Double.pi - 2 * horn) * Double(i) / Double(steps))
      return [c, s]
    }
    let tip = points[0]
    for i in 1..<steps {
      let t = -1 + 2 * Double(i) / Double(steps)
      points.append([tip.x - depth * (1 - t * t), tip.y * t])
    }
    return points
  }

  static func heart() -> [Point] {
    (0..<40).map { i in
      let (s, c) = PortableMath.sincos(2 * Double.pi * Double(i) / 40)
      let c2 = 2 * c * c - 1
      let c3 = c * (2 * c2 - 1)
      let c4 = 2 * c2 * c2 - 1
      return [s * s * s, -(13 * c - 5 * c2 - 2 * c3 - c4) / 16]
    }
  }

  static func leaf(width: Double) -> [Point] {
    let side: [Point] = (0..<16).map { i in
      let t = -1 + 2 * Double(i) / 16
      return [width * (1 - t * t), t]
    }
    return side + side.map { -$0 }
  }

  /// An uneven round blob: a circle whose radius wanders by `unrest`.
  static func blob(unrest: Double, using random: inout RandomStream) -> [Point] {
    let a = (0..<3).map { _ in (random.uniform(0.3, 1) * unrest, random.uniform(0, 2 * Double.pi)) }
    return polar(32) { i in
      let angle = 2 * Double.pi * Double(i) / 32
      return 1 + a.enumerated().reduce(0) { $0 + $1.1.0 * PortableMath.sin(Double($1.0 + 2) * angle + $1.1.1) }
    }
  }
}
