/// A map of segment ids, one a pixel, rows from the top.
public struct LabelImage: Hashable, Sendable {
  public private(set) var width: Int
  public private(set) var height: Int
  /// `height × width` ids, each below 2^24 where the map goes to a PNG.
  public var ids: [UInt32]

  /// - Precondition: one id a pixel.
  public init(width: Int, height: Int, ids: [UInt32]) {
    precondition(ids.count == width * height, "LabelImage: \(ids.count) ids for \(width)×\(height)")
    self.width = width
    self.height = height
    self.ids = ids
  }

  /// Replaces the map by that of a panoptic PNG. The memory is used again where the number of pixels stays the same.
  /// - Throws: `ImageError`, with the path; the map then holds neither the old nor the new ids.
  public mutating func decode(_ file: EncodedImage) throws {
    let count = file.width * file.height
    if ids.count == count {
      try ids.withUnsafeMutableBufferPointer { try file.decodeLabels(to: $0) }
    } else {
      ids = []
      ids = try [UInt32](unsafeUninitializedCapacity: count) { ids, initialized in
        try file.decodeLabels(to: UnsafeMutableBufferPointer(rebasing: ids[..<count]))
        initialized = count
      }
    }
    (width, height) = (file.width, file.height)
  }

  /// Reads ids from colours: `R + 256 G + 65536 B`.
  public init(rgb image: Image) {
    precondition(image.channels == 3, "LabelImage: \(image.channels) channels")
    let count = image.width * image.height
    let ids = image.pixels.withUnsafeBufferPointer { p in
      [UInt32](unsafeUninitializedCapacity: count) { out, initialized in
        for i in 0..<count {
          out[i] = UInt32(p[3 * i]) | UInt32(p[3 * i + 1]) << 8 | UInt32(p[3 * i + 2]) << 16
        }
        initialized = count
      }
    }
    self.init(width: image.width, height: image.height, ids: ids)
  }

  /// The ids as colours, the form that COCO panoptic files have.
  /// - Precondition: every id is below 2^24.
  public var rgb: Image {
    var pixels = [UInt8]()
    pixels.reserveCapacity(ids.count * 3)
    for id in ids {
      precondition(id < 1 << 24, "LabelImage: id \(id) does not fit in 24 bits")
      pixels.append(UInt8(truncatingIfNeeded: id))
      pixels.append(UInt8(truncatingIfNeeded: id >> 8))
      pixels.append(UInt8(truncatingIfNeeded: id >> 16))
    }
    return Image(width: width, height: height, channels: 3, pixels: pixels)
  }
}
