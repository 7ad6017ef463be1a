import Determinism

/// The family of markings on an object.
public enum Marking: String, Codable, Sendable, CaseIterable {
  case plain, stripes, dots, checks, rings, wedges, speckles, twoTone
}

/// What one object looks like inside its outline: two colours, a marking, and light from one side.
struct ObjectSurface {
  let marking: Marking
  let primary: Colour
  let secondary: Colour
  let noise: LatticeNoise
  /// Repeats of the marking across the object's radius.
  let frequency: Float
  /// How strongly the second colour shows; markings finer than two pixels fade.
  let strength: Float
  /// Toward the light, in the canvas; the length is how much the brightness changes over one radius.
  let light: SIMD2<Float>
  /// Inverse of the placement: canvas pixels to the object's own box of [-1, 1]².
  let placement: Placement

  init(
    _ kind: ObjectKind, placement: Placement, light: SIMD2<Float>, using random: inout RandomStream
  ) {
    marking = kind.markings[random.below(kind.markings.count)]
    let hues = kind.hues[random.below(kind.hues.count)]
    let hue = random.uniform(hues.lowerBound, hues.upperBound)
    primary = Colour(hue: hue, saturation: random.uniform(0.55, 0.95), value: random.uniform(0.55, 0.98))
    switch random.below(3) {
    case 0: secondary = Colour(hue: hue, saturation: random.uniform(0, 0.2), value: random.uniform(0.8, 1))
    case 1: secondary = Colour(hue: hue, saturation: random.uniform(0.3, 0.8), value: random.uniform(0.1, 0.3))
    default: secondary = Colour(hue: hue + random.uniform(0.35, 0.65), saturation: 0.7, value: random.uniform(0.5, 0.9))
    }
    noise = LatticeNoise(seed: UInt32(truncatingIfNeeded: random.next()))
    let frequency = Float(random.uniform(1.4, 2.6))
    self.frequency = frequency
    let period = Float(placement.radius) / frequency
    strength = min(max((period - 1.5) / 3, 0), 1)
    self.light = light
    self.placement = placement
  }

  func colour(_ x: Float, _ y: Float) -> Colour {
    let p = placement.inverse(x, y)
    let base = primary.mixed(with: secondary, strength * share(p.x, p.y))
    let centre = SIMD2<Float>(Float(placement.centre.x), Float(placement.centre.y))
    let arm = (SIMD2(x, y) - centre) / Float(placement.radius)
    let lit = 1 + light.x * arm.x + light.y * arm.y
    return base * lit
  }

  /// The share of the second colour at a point of the object's box.
  @inline(__always)
  private func share(_ u: Float, _ v: Float) -> Float {
    switch marking {
    case .plain: return 0
    case .twoTone: return step(v * 3)
    case .stripes: return step(6 * (triangle(u * frequency) - 0.5))
    case .rings: return step(6 * (triangle((u * u + v * v).squareRoot() * frequency) - 0.5))
    case .checks: return step(8 * (triangle(u * frequency) - 0.5) * (triangle(v * frequency) - 0.5) * 2)
    case .dots:
      let a = triangle(u * frequency) - 0.5
      let b = triangle(v * frequency) - 0.5
      return step((0.09 - (a - 0.1) * (a - 0.1) - (b - 0.1) * (b - 0.1)) * 20)
    case .wedges: return step(6 * u * v * (u + v) * (u - v) / max(0.02, (u * u + v * v) * (u * u + v * v)))
    case .speckles: return step((noise.smooth(u * frequency * 2.5 + 40, v * frequency * 2.5 + 40) - 0.55) * 10)
    }
  }

  /// Period 1, from 0 at whole numbers to 1 at halves.
  @inline(__always)
  private func triangle(_ x: Float) -> Float { 1 - abs(1 - 2 * (x - x.rounded(.down))) }

  /// 0 below -1/2, 1 above 1/2, a ramp between.
  @inline(__always)
  private func step(_ x: Float) -> Float { min(max(x + 0.5, 0), 1) }
}

/// Where an object is and how it is turned.
struct Placement {
  let centre: Point
  /// Half the object's extent, in pixels.
  let radius: Double
  private let forward: (Point, Point)
  private let backward: (SIMD2<Float>, SIMD2<Float>)

  /// - Parameters:
  ///   - turn: clockwise, in radians.
  ///   - squash: height over width before the turn.
  init(centre: Point, radius: Double, turn: Double, squash: Double, mirrored: Bool) {
    self.centre = centre
    self.radius = radius
    let (s, c) = PortableMath.sincos(turn)
    let a = mirrored ? -radius : radius
    let b = radius * squash
    forward = ([c * a, -s * b], [s * a, c * b])
    backward = (
      SIMD2(Float(c / a), Float(s / a)), SIMD2(Float(-s / b), Float(c / b))
    )
  }

  func callAsFunction(_ loops: [[Point]]) -> [[Point]] {
    loops.map { loop in
      loop.map { p in
        centre + [forward.0.x * p.x + forward.0.y * p.y, forward.1.x * p.x + forward.1.y * p.y]
      }
    }
  }

  @inline(__always)
  func inverse(_ x: Float, _ y: Float) -> SIMD2<Float> {
    let d = SIMD2<Float>(x - Float(centre.x), y - Float(centre.y))
    return [backward.0.x * d.x + backward.0.y * d.y, backward.1.x * d.x + backward.1.y * d.y]
  }
}
