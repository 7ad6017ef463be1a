import Determinism

// u, v: place in units of the texture. The order of operations is part of the pictures.

extension Ground {
  /// The colour of the ground and the distance between its marks, in pixels. The ground says nothing about the class.
  static func marks(
    _ kind: StuffKind, side: Double, using random: inout RandomStream
  ) -> (ground: Colour, spacing: Float) {
    let ground = Colour(hue: random.uniform(), saturation: 0.06, value: random.uniform(0.35, 0.9))
    let (low, high) = (kind.spacing.lowerBound, kind.spacing.upperBound)
    return (ground, Float(side * low * PortableMath.pow(high / low, random.uniform())))
  }

  /// Grey ground with round marks, one at a random place of every cell of a lattice.
  @inline(__always)
  func markers(_ u: Float, _ v: Float) -> Colour {
    guard let (grey, spacing) = marks else { return base }
    let radius = max(0.12 * spacing, 1.5)
    let ground = grey * (0.9 + 0.2 * noise.smooth(u / 3, v / 3))
    let i = Int32((u / spacing).rounded(.down))
    let j = Int32((v / spacing).rounded(.down))
    var nearest: Float = 1e6
    for row in j - 1...j + 1 {
      for column in i - 1...i + 1 {
        let bits = noise.bits(column + 1000, row + 1000)
        let (a, b) = (Float(bits & 0xFFFF) * 0x1p-16, Float(bits >> 16) * 0x1p-16)
        let x = (Float(column) + 0.2 + 0.6 * a) * spacing - u
        let y = (Float(row) + 0.2 + 0.6 * b) * spacing - v
        nearest = min(nearest, x * x + y * y)
      }
    }
    return ground.mixed(with: base, min(max(radius + 0.5 - nearest.squareRoot(), 0), 1))
  }
}
