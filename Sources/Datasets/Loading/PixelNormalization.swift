import Vision

/// How 8-bit samples become network input: channel order, mean, scale.
public struct PixelNormalization: Codable, Hashable, Sendable {
  /// Blue first, as the published weights expect.
  public var isBGR: Bool
  /// Subtracted, in the order of the channels that leave, on the scale 0...255.
  public var mean: [Float]
  /// Divides after that.
  public var deviation: [Float]

  /// - Precondition: three values each, no deviation zero.
  public init(isBGR: Bool, mean: [Float], deviation: [Float]) {
    precondition(mean.count == 3 && deviation.count == 3 && !deviation.contains(0), "PixelNormalization: three each")
    self.isBGR = isBGR
    self.mean = mean
    self.deviation = deviation
  }

  /// What the detector sees: BGR, 0...255, mean subtracted, not scaled.
  public static let detection = PixelNormalization(
    isBGR: true, mean: [102.9801, 115.9465, 122.7717], deviation: [1, 1, 1])
  /// What published pretraining sees: BGR, 0...255, nothing subtracted.
  public static let raw = PixelNormalization(isBGR: true, mean: [0, 0, 0], deviation: [1, 1, 1])

  /// - Throws: `DatasetError` for values, from a file, that break the rules of `init`.
  func check() throws {
    guard mean.count == 3, deviation.count == 3, (mean + deviation).allSatisfy(\.isFinite), !deviation.contains(0)
    else {
      throw DatasetError(
        .parameter, at: "normalization", "needs three finite means and three finite deviations that are not zero")
    }
  }

  /// The 256 values a sample of output channel `c` can take.
  func table(_ c: Int) -> [Float] { (0..<256).map { (Float($0) - mean[c]) / deviation[c] } }

  /// The channel of an RGB picture that output channel `c` shows.
  func source(_ c: Int) -> Int { isBGR ? 2 - c : c }

  /// Writes a picture into the upper left corner of planes.
  ///
  /// - Parameters:
  ///   - planes: one image's `[3, planeHeight, planeWidth]`; what the picture does not reach stays as it is.
  ///   - isFlipped: mirrors left and right.
  func write(
    _ image: Image, isFlipped: Bool, to planes: UnsafeMutableBufferPointer<Float>, planeHeight: Int, planeWidth: Int
  ) {
    precondition(
      image.channels == 3 && image.width <= planeWidth && image.height <= planeHeight
        && planes.count == 3 * planeHeight * planeWidth, "PixelNormalization: the planes do not hold the picture")
    image.pixels.withUnsafeBufferPointer { pixels in
      for c in 0..<3 {
        table(c).withUnsafeBufferPointer { table in
          let source = source(c)
          for y in 0..<image.height {
            let row = (c * planeHeight + y) * planeWidth
            var from = y * image.width * 3 + source + (isFlipped ? (image.width - 1) * 3 : 0)
            let step = isFlipped ? -3 : 3
            for x in 0..<image.width {
              planes[row + x] = table[Int(pixels[from])]
              from += step
            }
          }
        }
      }
    }
  }
}
