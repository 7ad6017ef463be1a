/// A display colour: red, green, blue in [0, 1].
typealias Colour = SIMD3<Float>

extension Colour {
  /// - Parameter hue: in turns, any value; red 0, green 1/3, blue 2/3.
  init(hue: Double, saturation: Double, value: Double) {
    func channel(_ shift: Double) -> Float {
      let h = hue + shift
      let x = (h - h.rounded(.down)) * 6
      let k = Swift.min(Swift.max(abs(x - 3) - 1, 0), 1)
      return Float(value * (1 - saturation + saturation * k))
    }
    self.init(channel(0), channel(2.0 / 3), channel(1.0 / 3))
  }

  func mixed(with other: Colour, _ t: Float) -> Colour { self + (other - self) * t }
}

/// A picture in the making: colours with soft edges, labels with hard ones.
struct Canvas {
  let width: Int
  let height: Int
  var colours: [Colour]
  /// The segment each pixel belongs to; 0 is void.
  var labels: [UInt16]

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    colours = [Colour](repeating: .zero, count: width * height)
    labels = [UInt16](repeating: 0, count: width * height)
  }

  /// Lays a surface over what is there. A pixel takes `label` where at least half of it is covered.
  /// - Parameter surface: the colour at a pixel centre in canvas pixels.
  mutating func paint(_ coverage: Coverage, label: UInt16, surface: (Float, Float) -> Colour) {
    for row in 0..<coverage.height {
      let y = coverage.y0 + row
      for column in 0..<coverage.width {
        let alpha = min(coverage.values[row * coverage.width + column], 1)
        guard alpha > 0 else { continue }
        let x = coverage.x0 + column
        let i = y * width + x
        colours[i] = colours[i].mixed(with: surface(Float(x) + 0.5, Float(y) + 0.5), alpha)
        if alpha >= 0.5 { labels[i] = label }
      }
    }
  }

  /// Covers everything.
  mutating func fill(label: UInt16, surface: (Float, Float) -> Colour) {
    for y in 0..<height {
      for x in 0..<width {
        colours[y * width + x] = surface(Float(x) + 0.5, Float(y) + 0.5)
        labels[y * width + x] = label
      }
    }
  }

  /// Darkens what is there; labels stay.
  mutating func shade(_ coverage: Coverage, strength: Float) {
    for row in 0..<coverage.height {
      for column in 0..<coverage.width {
        let i = (coverage.y0 + row) * width + coverage.x0 + column
        colours[i] *= 1 - strength * coverage.values[row * coverage.width + column]
      }
    }
  }
}
