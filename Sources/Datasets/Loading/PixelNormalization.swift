import Vision

/// How 8-bit samples become network input: channel order, mean, scale.
public struct PixelNormalization: Codable, Hashable, Sendable {
  /// Blue first, as the published weights expect.
  public var isBGR: Bool
  /// Subtracted, in the order of the output channels, on the scale 0...255.
  public var mean: [Float]
  /// Divides after that.
  public var std: [Float]

  /// - Precondition: three finite values each, no deviation zero.
  public init(isBGR: Bool, mean: [Float], std: [Float]) {
    self.isBGR = isBGR
    self.mean = mean
    self.std = std
    requireSound()
  }

  /// Input of the detector: BGR, 0...255, mean subtracted, not scaled.
  public static let detection = PixelNormalization(
    isBGR: true, mean: [102.9801, 115.9465, 122.7717], std: [1, 1, 1])
  /// Input of published pretraining: BGR, 0...255, nothing subtracted.
  public static let raw = PixelNormalization(isBGR: true, mean: [0, 0, 0], std: [1, 1, 1])

  /// The preconditions of `init`, for a decoded value.
  func requireSound() {
    precondition(
      mean.count == 3 && std.count == 3 && (mean + std).allSatisfy(\.isFinite) && !std.contains(0),
      "PixelNormalization: mean \(mean), std \(std)")
  }

  /// The 256 values a sample of output channel `c` can take.
  func table(_ c: Int) -> [Float] { (0..<256).map { (Float($0) - mean[c]) / std[c] } }

  /// Writes a picture, resized (`ResizeFilter.antialiased`), into the upper left corner of planes.
  ///
  /// - Parameters:
  ///   - width: after the resize, `height` likewise.
  ///   - isFlipped: mirrors left and right.
  ///   - planes: one image's `[3, planeHeight, planeWidth]`; what the picture does not cover stays as it is.
  func write(
    _ image: Image, width: Int, height: Int, isFlipped: Bool, to planes: UnsafeMutableBufferPointer<Float>,
    planeHeight: Int, planeWidth: Int
  ) {
    image.write(
      width: width, height: height, isFlipped: isFlipped, isBGR: isBGR, values: table(0) + table(1) + table(2),
      to: planes, planeHeight: planeHeight, planeWidth: planeWidth)
  }
}
