import Determinism
import Vision

/// Random brightness, contrast and saturation, in random order, as Pillow's `ImageEnhance` computes them.
public struct ColourJitter: Codable, Hashable, Sendable {
  /// Factors are drawn uniformly from `1 ± amount`; 0 leaves the property alone.
  public var brightness: Double
  public var contrast: Double
  public var saturation: Double

  public init(brightness: Double = 0.4, contrast: Double = 0.4, saturation: Double = 0.4) {
    self.brightness = brightness
    self.contrast = contrast
    self.saturation = saturation
  }

  func apply(to image: Image, using random: inout RandomStream) -> Image {
    var pixels = image.pixels
    let amounts = [brightness, contrast, saturation]
    for property in random.permutation(3) {
      let amount = amounts[property]
      // Always drawn, so that switching one property off does not change the others.
      let factor = Float(random.uniform(max(0, 1 - amount), 1 + amount))
      guard amount > 0 else { continue }
      switch property {
      case 0: ColourJitter.blend(&pixels, factor) { _, _, _ in 0 }
      case 1:
        let mean = ColourJitter.meanGray(pixels)
        ColourJitter.blend(&pixels, factor) { _, _, _ in mean }
      default: ColourJitter.blend(&pixels, factor) { Float(ColourJitter.gray($0, $1, $2)) }
      }
    }
    return Image(width: image.width, height: image.height, channels: 3, pixels: pixels)
  }

  /// Moves each pixel away from a gray (factor above 1) or toward it; the fraction is cut off, not rounded.
  private static func blend(_ pixels: inout [UInt8], _ factor: Float, _ gray: (UInt8, UInt8, UInt8) -> Float) {
    for i in stride(from: 0, to: pixels.count, by: 3) {
      let g = gray(pixels[i], pixels[i + 1], pixels[i + 2])
      for c in i..<i + 3 {
        pixels[c] = UInt8(min(max(g + factor * (Float(pixels[c]) - g), 0), 255))
      }
    }
  }

  /// ITU-R 601 luma in 16-bit fixed point.
  private static func gray(_ r: UInt8, _ g: UInt8, _ b: UInt8) -> Int {
    (Int(r) * 19595 + Int(g) * 38470 + Int(b) * 7471 + 0x8000) >> 16
  }

  private static func meanGray(_ pixels: [UInt8]) -> Float {
    var sum = 0
    for i in stride(from: 0, to: pixels.count, by: 3) { sum += gray(pixels[i], pixels[i + 1], pixels[i + 2]) }
    let count = pixels.count / 3
    return Float((2 * sum + count) / (2 * count))
  }
}
