/// A picture in memory: 8-bit samples, rows from the top, channels interleaved (`RGBRGB...` or one gray channel).
public struct Image: Hashable, Sendable {
  public let width: Int
  public let height: Int
  /// 3 (RGB) or 1 (gray levels, class numbers, palette indices).
  public let channels: Int
  /// `height × width × channels` samples.
  public private(set) var pixels: [UInt8]

  /// - Precondition: as many samples as the extents say.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(width >= 0 && height >= 0 && (channels == 1 || channels == 3), "Image: \(width)×\(height)×\(channels)")
    precondition(
      pixels.count == width * height * channels,
      "Image: \(pixels.count) samples for \(width)×\(height)×\(channels)")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// A picture of one value.
  public init(width: Int, height: Int, channels: Int = 3, repeating value: UInt8 = 0) {
    self.init(
      width: width, height: height, channels: channels,
      pixels: [UInt8](repeating: value, count: width * height * channels))
  }

  /// The sample of a channel in column `x` of row `y`.
  public subscript(x: Int, y: Int, channel: Int) -> UInt8 {
    get { pixels[index(x, y, channel)] }
    set { pixels[index(x, y, channel)] = newValue }
  }

  private func index(_ x: Int, _ y: Int, _ channel: Int) -> Int {
    precondition(
      x >= 0 && x < width && y >= 0 && y < height && channel >= 0 && channel < channels,
      "Image: (\(x), \(y), \(channel)) of \(width)×\(height)×\(channels)")
    return (y * width + x) * channels + channel
  }
}

extension Image {
  /// The rectangle whose upper left corner is (`x`, `y`).
  /// - Precondition: it lies inside the picture.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
    precondition(
      x >= 0 && y >= 0 && width >= 0 && height >= 0 && x + width <= self.width && y + height <= self.height,
      "crop: \(width)×\(height) at (\(x), \(y)) of \(self.width)×\(self.height)")
    var out = [UInt8]()
    out.reserveCapacity(width * height * channels)
    for row in y..<y + height {
      let start = (row * self.width + x) * channels
      out.append(contentsOf: pixels[start..<start + width * channels])
    }
    return Image(width: width, height: height, channels: channels, pixels: out)
  }
}
