import Determinism

/// The family of textures of a stuff region.
public enum GroundTexture: String, Codable, Sendable, CaseIterable {
  case sky, foliage, bricks, grass, sand, water, tiles, planks, wallpaper, curtain, carpet, plaster, markers
}

/// One stuff region's texture with its own colours, scale and light.
struct Ground {
  let texture: GroundTexture
  let base: Colour
  let accent: Colour
  let noise: LatticeNoise
  /// Canvas pixels per unit of the texture at the bottom of the picture.
  private let scale: Float
  /// Where the plane meets the horizon; the texture shrinks toward it. Nil for upright surfaces.
  private let horizon: Float?
  let height: Float
  /// x of the vanishing point.
  private let middle: Float
  /// Of ground with marks in the colour `base`.
  let marks: (ground: Colour, spacing: Float)?

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
    // Other textures draw no further random numbers: their pictures stay.
    marks = kind.texture == .markers ? Ground.marks(kind, side: Double(min(width, height)), using: &random) : nil
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
    case .sky: sky(u, v, y)
    case .foliage: foliage(u, v)
    case .bricks: bricks(u, v)
    case .grass: grass(u, v)
    case .sand: sand(u, v)
    case .water: water(u, v)
    case .tiles: tiles(u, v)
    case .planks: planks(u, v)
    case .wallpaper: wallpaper(u, v)
    case .curtain: curtain(u, v)
    case .carpet: carpet(u, v)
    case .plaster: plaster(u, v)
    case .markers: markers(u, v)
    }
  }
}
