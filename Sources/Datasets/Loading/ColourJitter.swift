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

  fileprivate enum Property: Int { case brightness, contrast, saturation }

  /// What will be done to one picture.
  struct Draw: Sendable {
    fileprivate var steps: [(property: Property, factor: Float)]
    /// Whether the picture stays as it is.
    var isEmpty: Bool { steps.isEmpty }
  }

  /// Draws order and factors.
  func draw(using random: inout RandomStream) -> Draw {
    let amounts = [brightness, contrast, saturation]
    var steps: [(Property, Float)] = []
    for property in random.permutation(3) {
      let amount = amounts[property]
      // Always drawn, so that switching one property off does not change the others.
      let factor = Float(random.uniform(max(0, 1 - amount), 1 + amount))
      if amount > 0 { steps.append((Property(rawValue: property)!, factor)) }
    }
    return Draw(steps: steps)
  }

  static func apply(_ draw: Draw, to image: Image) -> Image {
    if draw.isEmpty { return image }
    var pixels = image.pixels
    pixels.withUnsafeMutableBufferPointer { pixels in
      for (property, factor) in draw.steps {
        switch property {
        case .brightness: fade(pixels, factor, toward: 0)
        case .contrast: fade(pixels, factor, toward: meanGray(pixels))
        case .saturation: saturate(pixels, factor)
        }
      }
    }
    return Image(width: image.width, height: image.height, channels: 3, pixels: pixels)
  }

  /// A sample moved away from a gray (factor above 1) or toward it; the fraction is cut off, not rounded.
  private static func blend(_ sample: UInt8, _ factor: Float, _ gray: Float) -> UInt8 {
    UInt8(min(max(gray + factor * (Float(sample) - gray), 0), 255))
  }

  /// Moves all samples toward one gray or away from it: a look-up for each of 256 values.
  private static func fade(_ pixels: UnsafeMutableBufferPointer<UInt8>, _ factor: Float, toward gray: Float) {
    let table = (0...255).map { blend(UInt8($0), factor, gray) }
    table.withUnsafeBufferPointer { table in
      for i in pixels.indices { pixels[i] = table[Int(pixels[i])] }
    }
  }

  /// Moves each pixel toward its own gray or away from it.
  private static func saturate(_ pixels: UnsafeMutableBufferPointer<UInt8>, _ factor: Float) {
    for i in stride(from: 0, to: pixels.count, by: 3) {
      let g = Float(gray(pixels[i], pixels[i + 1], pixels[i + 2]))
      for c in i..<i + 3 { pixels[c] = blend(pixels[c], factor, g) }
    }
  }

  /// ITU-R 601 luma in 16-bit fixed point.
  private static func gray(_ r: UInt8, _ g: UInt8, _ b: UInt8) -> Int {
    (Int(r) * 19595 + Int(g) * 38470 + Int(b) * 7471 + 0x8000) >> 16
  }

  private static func meanGray(_ pixels: UnsafeMutableBufferPointer<UInt8>) -> Float {
    var sum = 0
    for i in stride(from: 0, to: pixels.count, by: 3) { sum += gray(pixels[i], pixels[i + 1], pixels[i + 2]) }
    let count = pixels.count / 3
    return Float((2 * sum + count) / (2 * count))
  }
}
