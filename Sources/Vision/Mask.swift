/// A set of pixels, row-major, one byte each: 1 inside, 0 outside.
public struct BinaryMask: Hashable, Sendable {
  public let width: Int
  public let height: Int
  /// `height x width` bytes, 0 or 1.
  public private(set) var pixels: [UInt8]

  /// An empty mask.
  public init(width: Int, height: Int) {
    self.init(width: width, height: height, pixels: [UInt8](repeating: 0, count: width * height))
  }

  /// - Precondition: `pixels` holds `width * height` values, each 0 or 1.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(
      width >= 0 && height >= 0 && pixels.count == width * height,
      "BinaryMask: \(pixels.count) values for \(width)×\(height)")
    precondition(pixels.allSatisfy { $0 <= 1 }, "BinaryMask: a value above 1")
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// The pixels for which `isInside` holds.
  public init(width: Int, height: Int, where isInside: (_ x: Int, _ y: Int) -> Bool) {
    self.init(width: width, height: height)
    for y in 0..<height {
      for x in 0..<width where isInside(x, y) { pixels[y * width + x] = 1 }
    }
  }

  public subscript(x: Int, y: Int) -> Bool {
    get { pixels[y * width + x] != 0 }
    set { pixels[y * width + x] = newValue ? 1 : 0 }
  }

  /// Number of pixels inside.
  public var area: Int { pixels.reduce(0) { $0 + Int($1) } }
}
