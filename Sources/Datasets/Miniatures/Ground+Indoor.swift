// u, v: place in units of the texture; y: row of the picture. The order of operations is part of the pictures.

extension Ground {
  @inline(__always)
  func tiles(_ u: Float, _ v: Float) -> Colour {
    let i = (u / 11).rounded(.down)
    let j = (v / 11).rounded(.down)
    let du = u - i * 11
    let dv = v - j * 11
    let seam = max(0, 1 - min(min(du, 11 - du), min(dv, 11 - dv)) * 0.9)
    let even = Int(i + j) & 1 == 0
    let tile = (even ? base : accent) * (0.92 + 0.16 * noise.cell(Int32(i), Int32(j)))
    return tile * (1 - 0.35 * seam)
  }

  @inline(__always)
  func planks(_ u: Float, _ v: Float) -> Colour {
    let i = (v / 9).rounded(.down)
    let dv = v - i * 9
    let seam = max(0, 1 - min(dv, 9 - dv))
    let grain = noise.smooth(u / 14 + i * 31, v / 1.3)
    return base.mixed(with: accent, grain) * (1 - 0.4 * seam)
  }

  @inline(__always)
  func wallpaper(_ u: Float, _ v: Float) -> Colour {
    // Broad stripes with a dot in every second one.
    let stripe = (u / 8).rounded(.down)
    let even = Int(stripe) & 1 == 0
    let du = u - stripe * 8 - 4
    let dv = v - ((v / 12).rounded(.down) * 12) - 6
    let dot = even ? min(max(3 - (du * du + dv * dv).squareRoot(), 0), 1) : 0
    return (even ? base : base.mixed(with: accent, 0.5)).mixed(with: accent, dot)
  }

  @inline(__always)
  func curtain(_ u: Float, _ v: Float) -> Colour {
    // Folds that widen and narrow, lit from one side.
    let phase = u / 9 + 1.2 * noise.smooth(u / 30, 3) + 0.15 * noise.smooth(u / 9, v / 40)
    let fold = abs(2 * (phase - phase.rounded(.down)) - 1)
    return base.mixed(with: accent, fold) * (0.7 + 0.5 * fold)
  }

  @inline(__always)
  func carpet(_ u: Float, _ v: Float) -> Colour {
    // A weave of knots, and a pattern of diamonds that repeats.
    let knot = noise.cell(Int32((u / 2).rounded(.down)), Int32((v / 2).rounded(.down)))
    let i = u / 20 - (u / 20).rounded(.down) - 0.5
    let j = v / 20 - (v / 20).rounded(.down) - 0.5
    let diamond: Float = abs(i) + abs(j) < 0.3 ? 1 : 0
    return base.mixed(with: accent, 0.75 * diamond) * (0.8 + 0.35 * knot)
  }

  @inline(__always)
  func plaster(_ u: Float, _ v: Float) -> Colour {
    let rough = noise.fractal(u / 5, v / 5, octaves: 3)
    let stain = noise.smooth(u / 40 + 11, v / 40)
    return base.mixed(with: accent, 0.4 * stain) * (0.85 + 0.3 * rough)
  }
}
