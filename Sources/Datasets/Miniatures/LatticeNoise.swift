/// Random values on an integer lattice, as a function of the position: nothing is stored, and no order matters.
struct LatticeNoise: Sendable {
  let seed: UInt32

  /// 32 well-mixed bits of a lattice point.
  @inline(__always)
  func bits(_ x: Int32, _ y: Int32) -> UInt32 {
    var h = seed &+ UInt32(bitPattern: x) &* 0x9E37_79B1 &+ UInt32(bitPattern: y) &* 0x85EB_CA77
    h = (h ^ h >> 15) &* 0x2C1B_3C6D
    h = (h ^ h >> 12) &* 0x297A_2D39
    return h ^ h >> 15
  }

  /// Uniform in [0, 1) at a lattice point.
  @inline(__always)
  func cell(_ x: Int32, _ y: Int32) -> Float { Float(bits(x, y) >> 8) * 0x1p-24 }

  /// Smooth noise in [0, 1): lattice values, interpolated with 3t² - 2t³.
  @inline(__always)
  func smooth(_ x: Float, _ y: Float) -> Float {
    let fx = x.rounded(.down)
    let fy = y.rounded(.down)
    let i = Int32(fx)
    let j = Int32(fy)
    var u = x - fx
    var v = y - fy
    u = u * u * (3 - 2 * u)
    v = v * v * (3 - 2 * v)
    let top = cell(i, j) + (cell(i &+ 1, j) - cell(i, j)) * u
    let bottom = cell(i, j &+ 1) + (cell(i &+ 1, j &+ 1) - cell(i, j &+ 1)) * u
    return top + (bottom - top) * v
  }

  /// Octaves of smooth noise, each of half the size and weight, in [0, 1).
  @inline(__always)
  func fractal(_ x: Float, _ y: Float, octaves: Int) -> Float {
    var sum: Float = 0
    var weight: Float = 1
    var total: Float = 0
    var scale: Float = 1
    for octave in 0..<octaves {
      // A shift per octave keeps the lattices from sharing their corners.
      let shift = Float(octave) * 17.3
      sum += weight * smooth(x * scale + shift, y * scale + shift)
      total += weight
      weight *= 0.5
      scale *= 2
    }
    return sum / total
  }

  /// Distance to the nearest of one random point per lattice cell, in cells, and that cell's value.
  @inline(__always)
  func nearestCell(_ x: Float, _ y: Float) -> (distance: Float, value: Float) {
    let i = Int32(x.rounded(.down))
    let j = Int32(y.rounded(.down))
    var best: Float = 9
    var value: Float = 0
    for dj: Int32 in -1...1 {
      for di: Int32 in -1...1 {
        let h = bits(i &+ di, j &+ dj)
        let px = Float(i &+ di) + Float(h & 0xFFF) * 0x1p-12
        let py = Float(j &+ dj) + Float(h >> 12 & 0xFFF) * 0x1p-12
        let d = (px - x) * (px - x) + (py - y) * (py - y)
        if d < best {
          best = d
          value = Float(h >> 24) * 0x1p-8
        }
      }
    }
    return (best.squareRoot(), value)
  }
}
