import Panoptic
import Vision

/// Size and objects of one training image, in pixels of the network's input.
public struct PanopticExample: Sendable {
  /// The image as it is on disk.
  public let image: PanopticImage
  /// Size after the resize, without padding.
  public let width: Int
  public let height: Int
  public let isFlipped: Bool
  /// Objects of the classes of things in the order of the annotation; no crowd regions, and no boxes with a side of
  /// one pixel.
  public let instances: [GroundTruthInstance]
}

/// Segments of an image at the size of the network's input.
struct SegmentMap {
  let width: Int
  let height: Int
  /// As `PanopticPicture.segmentIndices`.
  private(set) var indices: [UInt16]

  /// The nearest segment of each pixel of the new size; labels are never mixed.
  init(_ picture: PanopticPicture, width: Int, height: Int) {
    self.width = width
    self.height = height
    let (w, h) = (picture.image.width, picture.image.height)
    if (w, h) == (width, height) {
      indices = picture.segmentIndices
      return
    }
    let columns = (0..<width).map { (2 * $0 + 1) * w / (2 * width) }
    indices = []
    indices.reserveCapacity(width * height)
    for y in 0..<height {
      let row = (2 * y + 1) * h / (2 * height) * w
      for x in columns { indices.append(picture.segmentIndices[row + x]) }
    }
  }

  /// Exchanges left and right. Labels, boxes and masks are all taken from the map, so they are all flipped.
  mutating func flip() {
    let width = width
    let height = height
    indices.withUnsafeMutableBufferPointer { p in
      for y in 0..<height { p[y * width..<(y + 1) * width].reverse() }
    }
  }

  /// Writes the semantic labels into the upper left corner of a larger map.
  func writeSemantic(_ table: [UInt8], to target: UnsafeMutableBufferPointer<UInt8>, targetWidth: Int) {
    indices.withUnsafeBufferPointer { source in
      table.withUnsafeBufferPointer { table in
        for y in 0..<height {
          for x in 0..<width { target[y * targetWidth + x] = table[Int(source[y * width + x])] }
        }
      }
    }
  }

  /// The semantic label of every segment index: void is ignored, things (crowds too) are 0.
  static func semanticTable(_ segments: [SegmentInfo], _ categories: CategoryTable) -> [UInt8] {
    [CategoryTable.ignoredLabel] + segments.map { UInt8(categories.semanticLabel(ofID: $0.categoryID) ?? 255) }
  }

  func instances(_ segments: [SegmentInfo], _ categories: CategoryTable) -> [GroundTruthInstance] {
    var bounds = [Bounds](repeating: Bounds(), count: segments.count + 1)
    indices.withUnsafeBufferPointer { p in
      bounds.withUnsafeMutableBufferPointer { bounds in
        for y in 0..<height {
          var x = 0
          while x < width {
            // One step per run of equal labels.
            let k = p[y * width + x]
            let start = x
            while x < width && p[y * width + x] == k { x += 1 }
            bounds[Int(k)].add(start, x - 1, y)
          }
        }
      }
    }
    return segments.enumerated().compactMap { i, segment in
      let b = bounds[i + 1]
      guard !segment.isCrowd, let label = categories.boxLabel(ofID: segment.categoryID), b.x1 > b.x0, b.y1 > b.y0
      else { return nil }
      let box = Box(x0: Float(b.x0), y0: Float(b.y0), x1: Float(b.x1), y1: Float(b.y1))
      return GroundTruthInstance(label: label, box: box, mask: mask(UInt16(i + 1), b))
    }
  }

  private func mask(_ index: UInt16, _ b: Bounds) -> BinaryMask {
    let (w, h) = (b.x1 - b.x0 + 1, b.y1 - b.y0 + 1)
    let pixels = [UInt8](unsafeUninitializedCapacity: w * h) { out, count in
      indices.withUnsafeBufferPointer { p in
        for y in 0..<h {
          let row = (b.y0 + y) * width + b.x0
          for x in 0..<w { out[y * w + x] = p[row + x] == index ? 1 : 0 }
        }
      }
      count = w * h
    }
    return BinaryMask(width: w, height: h, pixels: pixels)
  }

  /// Inclusive pixel bounds; empty while `x1 < x0`.
  private struct Bounds {
    var x0 = Int.max, y0 = Int.max, x1 = -1, y1 = -1

    mutating func add(_ first: Int, _ last: Int, _ y: Int) {
      x0 = min(x0, first)
      x1 = max(x1, last)
      if y0 == Int.max { y0 = y }
      y1 = y
    }
  }
}
