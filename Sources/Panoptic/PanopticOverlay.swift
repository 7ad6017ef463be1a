import Vision

extension PanopticSegmentation {
  /// The picture with its segments in half-transparent colours and white borders between them; void stays as it is.
  ///
  /// Colours are those of the ids, so `colored` comes first where they should tell categories.
  /// - Parameter strength: share of the colours, 0...1.
  /// - Precondition: an RGB picture of the map's size.
  public func overlay(on picture: Image, strength: Double = 0.55) -> Image {
    precondition(
      picture.channels == 3 && picture.width == map.width && picture.height == map.height,
      "overlay: \(picture.width)×\(picture.height) picture, \(map.width)×\(map.height) map")
    let (width, height) = (map.width, map.height)
    // Borders that show on a large picture as on a small one.
    let reach = max(1, min(width, height) / 400)
    let share = Int((min(max(strength, 0), 1) * 256).rounded())
    var pixels = picture.pixels
    map.ids.withUnsafeBufferPointer { ids in
      pixels.withUnsafeMutableBufferPointer { pixels in
        for y in 0..<height {
          for x in 0..<width {
            let i = y * width + x
            let id = ids[i]
            let isBorder =
              (x + reach < width && ids[i + reach] != id) || (y + reach < height && ids[i + reach * width] != id)
            if isBorder {
              for c in 0..<3 { pixels[3 * i + c] = 255 }
            } else if id != 0 {
              for c in 0..<3 {
                let color = Int(id >> UInt32(8 * c) & 255)
                pixels[3 * i + c] = UInt8((Int(pixels[3 * i + c]) * (256 - share) + color * share) >> 8)
              }
            }
          }
        }
      }
    }
    return Image(width: width, height: height, channels: 3, pixels: pixels)
  }
}
