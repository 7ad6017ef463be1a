import Determinism

/// One object ready to be painted: outline, surface, shadow.
struct ObjectFigure {
  private let loops: [[Point]]
  private let surface: ObjectSurface
  private let shadowOffset: Point
  private let shadowStrength: Float
  private let shadowBlur: Int

  /// - Parameters:
  ///   - radius: half the extent in pixels.
  ///   - light: toward the light, see `ObjectSurface`.
  init(
    _ kind: ObjectKind, centre: Point, radius: Double, light: SIMD2<Float>, using random: inout RandomStream
  ) {
    let placement = Placement(
      centre: centre, radius: radius, turn: random.uniform(-kind.turn, kind.turn), squash: random.uniform(0.75, 1),
      mirrored: random.chance(0.5))
    loops = placement(kind.outline.loops(using: &random))
    surface = ObjectSurface(kind, placement: placement, light: light, using: &random)
    // The shadow falls away from the light, and always a little downward.
    shadowOffset = [Double(-light.x) * radius * 0.8, (Double(-light.y) * 0.5 + 0.18) * radius]
    shadowStrength = Float(random.uniform(0.15, 0.45))
    shadowBlur = Int(radius * 0.08) + 1
  }

  /// Paints the shadow, then the object.
  /// - Returns: how many pixels of the canvas the object takes.
  func paint(on canvas: inout Canvas, label: UInt16) -> Int {
    let (w, h) = (canvas.width, canvas.height)
    let shifted = loops.map { $0.map { $0 + shadowOffset } }
    let shadow = Coverage(shifted, canvasWidth: w, canvasHeight: h, margin: 2 * shadowBlur).blurred(radius: shadowBlur)
    canvas.shade(shadow, strength: shadowStrength)
    let coverage = Coverage(loops, canvasWidth: w, canvasHeight: h)
    canvas.paint(coverage, label: label) { surface.colour($0, $1) }
    return coverage.values.reduce(0) { $0 + ($1 >= 0.5 ? 1 : 0) }
  }
}
