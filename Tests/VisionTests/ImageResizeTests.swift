import Determinism
import Testing

@testable import Vision

@Suite("Resampling, flipping and cropping of images")
struct ImageResizeTests {
  private let source = ImageWritingTests.picture(37, 23, channels: 3, flat: false)

  /// First 16 digits of SHA-256 over the samples of Pillow 13: `resize((w, h), BILINEAR)` and `NEAREST`. Sizes that
  /// grow in width and shrink in height are left out: Pillow 13 then starts with the rows, older ones and ours do not.
  @Test(
    "resized agrees with Pillow in every sample",
    arguments: [
      (37, 23, "f22cabefbe9d6a1a", "f22cabefbe9d6a1a"),
      (74, 46, "6fb79cd3217fe5d7", "6a2104c2cc23a9ab"),
      (19, 11, "e4ab01631dc90a06", "6f8269a4ae072353"),
      (5, 40, "8ad8e991e76c74d3", "2142e43eee088ae1"),
      (100, 23, "7a63d97e806ca4de", "1ed99911b11af91b"),
      (37, 3, "f0f9e15519f30db5", "f5d97e8fca0365c9"),
      (1, 1, "6271f9cf12697981", "dae8e15a5ab4b4cc"),
    ])
  func pillow(_ width: Int, _ height: Int, _ antialiased: String, _ nearest: String) {
    let smooth = source.resized(width: width, height: height, by: .antialiased)
    #expect(Digest(of: smooth.pixels).hex.hasPrefix(antialiased))
    let sharp = source.resized(width: width, height: height, by: .nearest)
    #expect(Digest(of: sharp.pixels).hex.hasPrefix(nearest))
  }

  @Test(
    "bilinear resampling agrees with its definition to one level",
    arguments: [(74, 46), (19, 11), (5, 40), (100, 3), (1, 1)])
  func bilinear(_ width: Int, _ height: Int) {
    let out = source.resized(width: width, height: height, by: .bilinear)
    for y in 0..<height {
      for x in 0..<width {
        let sx = (Double(x) + 0.5) * 37 / Double(width) - 0.5
        let sy = (Double(y) + 0.5) * 23 / Double(height) - 0.5
        let x0 = sx.rounded(.down)
        let y0 = sy.rounded(.down)
        for c in 0..<3 {
          func at(_ x: Double, _ y: Double) -> Double {
            Double(source[min(max(Int(x), 0), 36), min(max(Int(y), 0), 22), c])
          }
          let upper = at(x0, y0) * (1 - sx + x0) + at(x0 + 1, y0) * (sx - x0)
          let lower = at(x0, y0 + 1) * (1 - sx + x0) + at(x0 + 1, y0 + 1) * (sx - x0)
          let value = upper * (1 - sy + y0) + lower * (sy - y0)
          #expect(abs(value - Double(out[x, y, c])) < 0.75, "(\(x), \(y), \(c))")
        }
      }
    }
    #expect(source.resized(width: 37, height: 23, by: .bilinear) == source)
  }

  @Test("a constant image stays constant", arguments: [ResizeFilter.nearest, .bilinear, .antialiased])
  func flat(_ method: ResizeFilter) {
    for value in [UInt8(0), 1, 127, 254, 255] {
      let out = Image(width: 13, height: 9, channels: 1, repeating: value).resized(width: 31, height: 4, by: method)
      #expect(out.pixels.allSatisfy { $0 == value })
    }
  }

  @Test("flipping and cropping move samples and change none")
  func moves() {
    let flipped = source.flippedHorizontally()
    #expect(flipped[0, 3, 1] == source[36, 3, 1] && flipped[36, 22, 2] == source[0, 22, 2])
    #expect(flipped.flippedHorizontally() == source)
    let crop = source.cropped(x: 5, y: 7, width: 11, height: 3)
    #expect(crop.width == 11 && crop.height == 3)
    #expect(crop[0, 0, 0] == source[5, 7, 0] && crop[10, 2, 2] == source[15, 9, 2])
  }
}
