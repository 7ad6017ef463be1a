// u, v: place in units of the texture; y: row of the picture. The order of operations is part of the pictures.

extension Ground {
  @inline(__always)
  func sky(_ u: Float, _ v: Float, _ y: Float) -> Colour {
    let cloud = min(max((noise.fractal(u / 34, v / 15, octaves: 3) - 0.52) * 3.5, 0), 1)
    let pale = base.mixed(with: Colour(0.95, 0.96, 0.98), 0.45 * min(y / height, 1))
    return pale.mixed(with: accent, cloud)
  }

  @inline(__always)
  func foliage(_ u: Float, _ v: Float) -> Colour {
    let (distance, value) = noise.nearestCell(u / 6.5, v / 6)
    let leaf = base.mixed(with: accent, min(distance * 1.15, 1)) * (0.75 + 0.5 * value)
    return leaf * (0.75 + 0.5 * noise.smooth(u / 17 + 9, v / 17))
  }

  @inline(__always)
  func bricks(_ u: Float, _ v: Float) -> Colour {
    let row = (v / 6).rounded(.down)
    let shifted = u / 12 + 0.5 * (row - 2 * (row / 2).rounded(.down))
    let column = shifted.rounded(.down)
    let du = (shifted - column) * 12
    let dv = v - row * 6
    let mortar = max(0, 1 - min(min(du, 12 - du), min(dv, 6 - dv)) * 0.9)
    let brick = base * (0.8 + 0.4 * noise.cell(Int32(column), Int32(row)))
    return brick.mixed(with: accent, mortar) * (0.9 + 0.2 * noise.smooth(u / 2, v / 2))
  }

  @inline(__always)
  func grass(_ u: Float, _ v: Float) -> Colour {
    let blades = noise.smooth(u / 1.6, v / 4.2)
    let patches = noise.fractal(u / 22 + 70, v / 14, octaves: 2)
    return base.mixed(with: accent, blades) * (0.75 + 0.5 * patches)
  }

  @inline(__always)
  func sand(_ u: Float, _ v: Float) -> Colour {
    let grain = noise.cell(Int32(u.rounded(.down)), Int32(v.rounded(.down)))
    let drift = noise.smooth(u / 19, v / 5 + 30)
    return base.mixed(with: accent, 0.35 * drift) * (0.9 + 0.16 * grain)
  }

  @inline(__always)
  func water(_ u: Float, _ v: Float) -> Colour {
    let sway = 3.5 * noise.smooth(u / 15, v / 9)
    let phase = v / 5.5 + sway
    let wave = abs(2 * (phase - phase.rounded(.down)) - 1)
    let glint = wave > 0.75 ? (wave - 0.75) * 3 : 0
    return base.mixed(with: accent, glint * noise.smooth(u / 7 + 5, v / 3)) * (0.75 + 0.4 * wave)
  }
}
