import Determinism

/// The family of textures of a stuff region.
public enum GroundTexture: String, Codable, Sendable, CaseIterable {
  case sky, foliage, bricks, grass, sand, water, tiles, planks, wallpaper, curtain, carpet, plaster
}

/// One stuff region's texture with its own colours, scale and light.
struct Ground {
  let texture: GroundTexture
  private let base: Colour
  private let accent: Colour
  private let noise: LatticeNoise
  /// Canvas pixels per unit of the texture at the bottom of the picture.
  private let scale: Float
  /// Where the plane meets the horizon; the texture shrinks toward it. Nil for upright surfaces.
  private let horizon: Float?
  private let height: Float
  /// x of the vanishing point.
  private let middle: Float

  /// - Parameters:
  ///   - horizon: y of the horizon in pixels for a surface that lies, nil for one that stands.
  ///   - width, height: of the canvas, in pixels.
  init(_ kind: StuffKind, horizon: Double?, width: Int, height: Int, using random: inout RandomStream) {
    texture = kind.texture
    let hues = kind.hues[random.below(kind.hues.count)]
    let hue = random.uniform(hues.lowerBound, hues.upperBound)
    let saturation = random.uniform(kind.saturation.lowerBound, kind.saturation.upperBound)
    let value = random.uniform(kind.value.lowerBound, kind.value.upperBound)
    base = Colour(hue: hue, saturation: saturation, value: value)
    let contrast = random.uniform(0.55, 0.8)
    switch kind.texture {
    case .sky: accent = Colour(hue: hue, saturation: saturation * 0.15, value: min(1, value * 1.15))
    case .bricks, .tiles, .plaster: accent = Colour(hue: hue + 0.02, saturation: saturation * 0.25, value: value * 0.95)
    case .water: accent = Colour(hue: hue, saturation: saturation * 0.5, value: min(1, value * 1.35))
    default:
      accent = Colour(hue: hue + random.uniform(-0.03, 0.03), saturation: saturation, value: value * contrast)
    }
    noise = LatticeNoise(seed: UInt32(truncatingIfNeeded: random.next()))
    scale = Float(random.uniform(0.8, 1.3))
    self.horizon = horizon.map { Float($0) }
    self.height = Float(height)
    middle = Float(width) / 2
  }

  func colour(_ x: Float, _ y: Float) -> Colour {
    var u = x / scale
    var v = y / scale
    if let horizon {
      // A plane seen at a slant: with depth, lengths along it shrink, and those toward the eye twice.
      let nearness = max(0.08, (y - horizon + 6) / (height - horizon + 6))
      let grow = 1 / (0.45 + 0.55 * nearness)
      u = (x - middle) * grow / scale + 200
      v = (y - horizon) * grow / scale
    }
    return shade(u, v, y)
  }

  @inline(__always)
  private func shade(_ u: Float, _ v: Float, _ y: Float) -> Colour {
    switch texture {
    case .sky:
      let cloud = min(max((noise.fractal(u / 34, v / 15, octaves: 3) - 0.52) * 3.5, 0), 1)
      let pale = base.mixed(with: Colour(0.95, 0.96, 0.98), 0.45 * min(y / height, 1))
      return pale.mixed(with: accent, cloud)
    case .foliage:
      let (distance, value) = noise.nearestCell(u / 6.5, v / 6)
      let leaf = base.mixed(with: accent, min(distance * 1.15, 1)) * (0.75 + 0.5 * value)
      return leaf * (0.75 + 0.5 * noise.smooth(u / 17 + 9, v / 17))
    case .bricks:
      let row = (v / 6).rounded(.down)
      let shifted = u / 12 + 0.5 * (row - 2 * (row / 2).rounded(.down))
      let column = shifted.rounded(.down)
      let du = (shifted - column) * 12
      let dv = v - row * 6
      let mortar = max(0, 1 - min(min(du, 12 - du), min(dv, 6 - dv)) * 0.9)
      let brick = base * (0.8 + 0.4 * noise.cell(Int32(column), Int32(row)))
      return brick.mixed(with: accent, mortar) * (0.9 + 0.2 * noise.smooth(u / 2, v / 2))
    case .grass:
      let blades = noise.smooth(u / 1.6, v / 4.2)
      let patches = noise.fractal(u / 22 + 70, v / 14, octaves: 2)
      return base.mixed(with: accent, blades) * (0.75 + 0.5 * patches)
    case .sand:
      let grain = noise.cell(Int32(u.rounded(.down)), Int32(v.rounded(.down)))
      let drift = noise.smooth(u / 19, v / 5 + 30)
      return base.mixed(with: accent, 0.35 * drift) * (0.9 + 0.16 * grain)
    case .water:
      let sway = 3.5 * noise.smooth(u / 15, v / 9)
      let phase = v / 5.5 + sway
      let wave = abs(2 * (phase - phase.rounded(.down)) - 1)
      let glint = wave > 0.75 ? (wave - 0.75) * 3 : 0
      return base.mixed(with: accent, glint * noise.smooth(u / 7 + 5, v / 3)) * (0.75 + 0.4 * wave)
    case .tiles:
      let i = (u / 11).rounded(.down)
      let j = (v / 11).rounded(.down)
      let du = u - i * 11
      let dv = v - j * 11
      let seam = max(0, 1 - min(min(du, 11 - du), min(dv, 11 - dv)) * 0.9)
      let even = Int(i + j) & 1 == 0
      let tile = (even ? base : accent) * (0.92 + 0.16 * noise.cell(Int32(i), Int32(j)))
      return tile * (1 - 0.35 * seam)
    case .planks:
      let i = (v / 9).rounded(.down)
      let dv = v - i * 9
      let seam = max(0, 1 - min(dv, 9 - dv))
      let grain = noise.smooth(u / 14 + i * 31, v / 1.3)
      return base.mixed(with: accent, grain) * (1 - 0.4 * seam)
    case .wallpaper:
      // Broad stripes with a dot in every second one.
      let stripe = (u / 8).rounded(.down)
      let even = Int(stripe) & 1 == 0
      let du = u - stripe * 8 - 4
      let dv = v - ((v / 12).rounded(.down) * 12) - 6
      let dot = even ? min(max(3 - (du * du + dv * dv).squareRoot(), 0), 1) : 0
      return (even ? base : base.mixed(with: accent, 0.5)).mixed(with: accent, dot)
    case .curtain:
      // Folds that widen and narrow, lit from one side.
      let phase = u / 9 + 1.2 * noise.smooth(u / 30, 3) + 0.15 * noise.smooth(u / 9, v / 40)
      let fold = abs(2 * (phase - phase.rounded(.down)) - 1)
      return base.mixed(with: accent, fold) * (0.7 + 0.5 * fold)
    case .carpet:
      // A weave of knots, and a pattern of diamonds that repeats.
      let knot = noise.cell(Int32((u / 2).rounded(.down)), Int32((v / 2).rounded(.down)))
      let i = u / 20 - (u / 20).rounded(.down) - 0.5
      let j = v / 20 - (v / 20).rounded(.down) - 0.5
      let diamond: Float = abs(i) + abs(j) < 0.3 ? 1 : 0
      return base.mixed(with: accent, 0.75 * diamond) * (0.8 + 0.35 * knot)
    case .plaster:
      let rough = noise.fractal(u / 5, v / 5, octaves: 3)
      let stain = noise.smooth(u / 40 + 11, v / 40)
      return base.mixed(with: accent, 0.4 * stain) * (0.85 + 0.3 * rough)
    }
  }
}
