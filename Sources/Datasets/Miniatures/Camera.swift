import Determinism

/// Exposure, a little blur and sensor noise: what turns a canvas into 8-bit pixels.
struct Camera {
  private let exposure: Float
  private let tint: Colour
  /// Weight of the 3×3 binomial blur.
  private let blur: Float
  private let grain: Float
  private let noise: LatticeNoise

  init(using random: inout RandomStream) {
    exposure = Float(random.uniform(0.85, 1.12))
    tint = Colour(
      Float(random.uniform(0.96, 1.04)), Float(random.uniform(0.97, 1.03)), Float(random.uniform(0.96, 1.04)))
    blur = Float(random.uniform(0.1, 0.6))
    grain = Float(random.uniform(0.006, 0.022))
    noise = LatticeNoise(seed: UInt32(truncatingIfNeeded: random.next()))
  }

  /// - Returns: interleaved RGB.
  func develop(_ canvas: Canvas) -> [UInt8] {
    let (w, h) = (canvas.width, canvas.height)
    var rows = canvas.colours
    for y in 0..<h {
      for x in 0..<w {
        let i = y * w + x
        let sides = (canvas.colours[x > 0 ? i - 1 : i] + canvas.colours[x + 1 < w ? i + 1 : i]) * 0.25
        rows[i] = canvas.colours[i] * 0.5 + sides
      }
    }
    var pixels = [UInt8](repeating: 0, count: w * h * 3)
    let gain = tint * exposure
    for y in 0..<h {
      for x in 0..<w {
        let i = y * w + x
        let sides = (rows[y > 0 ? i - w : i] + rows[y + 1 < h ? i + w : i]) * 0.25
        let soft = rows[i] * 0.5 + sides
        let lit = canvas.colours[i].mixed(with: soft, blur) * gain
        for c in 0..<3 {
          let value = (lit[c] + grain * bell(Int32(i), Int32(c))) * 255
          pixels[i * 3 + c] = UInt8(min(max(value, 0), 255).rounded(.toNearestOrEven))
        }
      }
    }
    return pixels
  }

  /// About normal with variance one: four uniform bytes of one hash, summed.
  @inline(__always)
  private func bell(_ i: Int32, _ channel: Int32) -> Float {
    let b = noise.bits(i, channel)
    let sum = Int32(b & 255) + Int32(b >> 8 & 255) + Int32(b >> 16 & 255) + Int32(b >> 24)
    return (Float(sum) - 510) / 147.8
  }
}
