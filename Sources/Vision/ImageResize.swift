/// How a picture is resampled. The names tell the convention, since libraries differ; the arithmetic is exact in
/// integers, so every machine gets the same samples.
public struct ResizeFilter: Hashable, Sendable {
  enum Kind: Hashable { case nearest, bilinear, triangle }
  let kind: Kind

  /// The sample at `floor((i + ½) · in / out)`. Mixes nothing: for label maps.
  public static let nearest = ResizeFilter(kind: .nearest)

  /// OpenCV's convention for `INTER_LINEAR`: two samples each way around `(i + ½) · in / out - ½`, the border
  /// repeated, no smoothing when shrinking. Weights are multiples of 2^-11, the sum is rounded half up once.
  public static let bilinear = ResizeFilter(kind: .bilinear)

  /// Pillow's convention for `BILINEAR`: a triangle that widens when shrinking, so that every sample counts; columns
  /// first, then rows, with 8-bit samples between the two and weights in multiples of 2^-22. The samples are those of
  /// Pillow, except where Pillow 13 starts with the rows (wider but lower pictures; the versions before never did).
  public static let antialiased = ResizeFilter(kind: .triangle)
}

extension Image {
  /// The picture at another size.
  /// - Precondition: neither size is empty.
  public func resized(width newWidth: Int, height newHeight: Int, by method: ResizeFilter) -> Image {
    precondition(
      newWidth > 0 && newHeight > 0 && width > 0 && height > 0,
      "resized: \(width)×\(height) to \(newWidth)×\(newHeight)")
    switch method.kind {
    case .nearest: return resizedNearest(newWidth, newHeight)
    case .bilinear: return resizedBilinear(newWidth, newHeight)
    case .triangle: return resampled(newWidth, newHeight)
    }
  }

  private func make(
    _ newWidth: Int, _ newHeight: Int,
    _ body: (_ source: UnsafeBufferPointer<UInt8>, _ target: UnsafeMutableBufferPointer<UInt8>) -> Void
  ) -> Image {
    let count = newWidth * newHeight * channels
    let pixels = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      self.pixels.withUnsafeBufferPointer { body($0, UnsafeMutableBufferPointer(rebasing: target[0..<count])) }
      initialized = count
    }
    return Image(width: newWidth, height: newHeight, channels: channels, pixels: pixels)
  }

  private func resizedNearest(_ newWidth: Int, _ newHeight: Int) -> Image {
    let columns = (0..<newWidth).map { (2 * $0 + 1) * width / (2 * newWidth) * channels }
    return make(newWidth, newHeight) { source, target in
      var i = 0
      for y in 0..<newHeight {
        let row = (2 * y + 1) * height / (2 * newHeight) * width * channels
        for x in 0..<newWidth {
          for c in 0..<channels {
            target[i] = source[row + columns[x] + c]
            i += 1
          }
        }
      }
    }
  }

  private func resizedBilinear(_ newWidth: Int, _ newHeight: Int) -> Image {
    let columns = (0..<newWidth).map { BilinearTap($0, from: width, to: newWidth) }
    return make(newWidth, newHeight) { source, target in
      columns.withUnsafeBufferPointer { columns in
        var i = 0
        for y in 0..<newHeight {
          let tap = BilinearTap(y, from: height, to: newHeight)
          let upper = tap.first * width * channels
          let lower = tap.second * width * channels
          for x in 0..<newWidth {
            let left = columns[x].first * channels
            let right = columns[x].second * channels
            let weight = columns[x].weight
            for c in 0..<channels {
              let a = Int(source[upper + left + c]) * (2048 - weight) + Int(source[upper + right + c]) * weight
              let b = Int(source[lower + left + c]) * (2048 - weight) + Int(source[lower + right + c]) * weight
              target[i] = UInt8((a * (2048 - tap.weight) + b * tap.weight + 1 << 21) >> 22)
              i += 1
            }
          }
        }
      }
    }
  }
}

/// The two samples that an output sample lies between, and the second's weight in 1/2048.
private struct BilinearTap {
  let first: Int
  let second: Int
  let weight: Int

  init(_ i: Int, from count: Int, to newCount: Int) {
    // Position (i + ½) · count / newCount - ½ as a fraction of 2 · newCount.
    let position = (2 * i + 1) * count - newCount
    let floor = position < 0 ? -1 : position / (2 * newCount)
    let rest = position - floor * 2 * newCount
    first = max(floor, 0)
    second = min(floor + 1, count - 1)
    weight = (rest * 2048 + newCount) / (2 * newCount)
  }
}
