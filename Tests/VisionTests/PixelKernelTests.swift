import CCodecs
import Determinism
import Tensors
import Testing

@testable import Vision

/// The kernels of every instruction set against the scalar ones, and those against their definitions.
@Suite("Kernels over pixels")
struct PixelKernelTests {
  private static let variants = Backend.supported.map(\.codecs)

  private func noise(_ count: Int, _ name: String) -> [UInt8] {
    var random = Seeds(kind: "pixels", seed: 1).stream(name)
    return (0..<count).map { _ in UInt8(random.below(256)) }
  }

  @Test("resampling has the samples of its definition on every instruction set", arguments: 1...33)
  func resampling(_ size: Int) {
    for (width, height) in [(size, 5), (67, size), (size, size), (2 * size + 1, 1)] {
      for newWidth in [1, 7, 64, 67] {
        for channels in [1, 3] {
          let source = Image(
            width: width, height: height, channels: channels,
            pixels: noise(width * height * channels, "\(width)x\(height)x\(channels)"))
          let weights = ResampleWeights(from: width, to: newWidth)
          var columns: [[UInt8]] = []
          for isa in Self.variants {
            var target = [UInt8](repeating: 1, count: height * newWidth * channels)
            weights.withC { weights in
              source.pixels.withUnsafeBufferPointer { pixels in
                let rows = cc_rows(
                  samples: pixels.baseAddress, stride: width * channels, rows: Int32(height), channels: Int32(channels))
                cc_resample_columns(isa, rows, weights, &target, newWidth * channels, channels, 1)
              }
            }
            columns.append(target)
          }
          #expect(columns.allSatisfy { $0 == columns[0] }, "\(width)×\(height)×\(channels) to \(newWidth) columns")
          #expect(columns[0] == definition(source, weights), "\(width)×\(height)×\(channels) to \(newWidth) columns")

          let down = ResampleWeights(from: height, to: 3)
          var rows: [[UInt8]] = []
          for isa in Self.variants {
            var target = [UInt8](repeating: 1, count: 3 * width * channels)
            down.withC {
              cc_resample_rows(
                isa, source.pixels, width * channels, width * channels, $0, &target, width * channels)
            }
            rows.append(target)
          }
          #expect(rows.allSatisfy { $0 == rows[0] }, "\(width)×\(height)×\(channels) to 3 rows")
        }
      }
    }
  }

  private func definition(_ source: Image, _ weights: ResampleWeights) -> [UInt8] {
    (0..<source.height).flatMap { y in
      weights.first.indices.flatMap { x in
        (0..<source.channels).map { c in
          var sum = 1 << 21
          for k in 0..<weights.width {
            sum += Int(source[Int(weights.first[x]) + k, y, c]) * Int(weights.values[x * weights.width + k])
          }
          return UInt8(clamping: sum >> 22)
        }
      }
    }
  }

  @Test(
    "Image.write fills planes with the resized, flipped image through a table of values",
    arguments: [(37, 23), (19, 40), (12, 5), (1, 1)])
  func planes(_ width: Int, _ height: Int) {
    let source = ImageWritingTests.picture(37, 23, channels: 3, flat: false)
    let values = (0..<768).map { Float($0) * 0.37 - 11 }
    for isFlipped in [false, true] {
      for isBGR in [false, true] {
        let (planeWidth, planeHeight) = (width + 3, height + 2)
        var planes = [Float](repeating: -99, count: 3 * planeWidth * planeHeight)
        planes.withUnsafeMutableBufferPointer {
          source.write(
            width: width, height: height, isFlipped: isFlipped, isBGR: isBGR, values: values, to: $0,
            planeHeight: planeHeight, planeWidth: planeWidth)
        }
        let plain = source.resized(width: width, height: height, by: .antialiased)
        let expected = isFlipped ? plain.flippedHorizontally() : plain
        for c in 0..<3 {
          for y in 0..<planeHeight {
            for x in 0..<planeWidth {
              let isInside = x < width && y < height
              let value = isInside ? values[c * 256 + Int(expected[x, y, isBGR ? 2 - c : c])] : -99
              #expect(planes[(c * planeHeight + y) * planeWidth + x] == value)
            }
          }
        }
      }
    }
  }

  @Test("LabelImage.overlaps counts pairs of ids the same on every instruction set")
  func overlaps() {
    var random = Seeds(kind: "pixels", seed: 2).stream("overlaps")
    for (count, ids, stretch) in [(1, 1, 1), (63, 3, 9), (64, 5, 3), (65, 2, 40), (4099, 9, 20), (2000, 2000, 1)] {
      func map() -> [UInt32] {
        var ids: [UInt32] = (0..<ids).map { _ in UInt32(random.below(1 << 24)) }
        ids[0] = 0
        var map: [UInt32] = []
        while map.count < count {
          map += [UInt32](repeating: ids[random.below(ids.count)], count: 1 + random.below(stretch))
        }
        return Array(map.prefix(count))
      }
      let (a, b) = (map(), map())
      var expected: [[UInt32]: Int] = [:]
      for i in 0..<count { expected[[a[i], b[i]], default: 0] += 1 }
      let found = LabelImage(width: count, height: 1, ids: a).overlaps(
        with: LabelImage(width: count, height: 1, ids: b))
      #expect(found.map { [$0.first, $0.second] } == expected.keys.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) })
      for overlap in found { #expect(expected[[overlap.first, overlap.second]] == overlap.pixels) }
      for isa in Self.variants {
        var table = [cc_overlap](repeating: cc_overlap(), count: 1 << 12)
        #expect(cc_overlaps(isa, a, b, count, &table, 12) == Int64(expected.count))
        for place in table where place.pixels > 0 {
          #expect(expected[[place.first, place.second]] == Int(place.pixels))
        }
      }
    }
  }
}
