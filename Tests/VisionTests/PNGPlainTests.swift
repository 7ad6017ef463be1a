import Determinism
import Foundation
import Testing

@testable import Vision

/// PNGs of plain 8-bit RGB have a faster decoder, which must agree with libpng.
@Suite("The decoder of plain RGB PNGs")
struct PNGPlainTests {
  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  private func bigEndian(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) } }

  private func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + content
    return bigEndian(content.count) + body + bigEndian(Int(PNGChecksum.crc32(body)))
  }

  private func header(_ width: Int, _ height: Int) -> [UInt8] {
    Self.signature + chunk("IHDR", bigEndian(width) + bigEndian(height) + [8, 2, 0, 0, 0])
  }

  /// The rows of a PNG, each with the filter that `filter` chooses.
  private func filtered(_ image: Image, by filter: (Int) -> UInt8) -> [UInt8] {
    let stride = image.width * 3
    func at(_ i: Int, _ y: Int) -> Int { i < 0 || y < 0 ? 0 : Int(image.pixels[y * stride + i]) }
    return (0..<image.height).flatMap { y -> [UInt8] in
      let kind = filter(y)
      return [kind]
        + (0..<stride).map { i in
          let (left, above, corner) = (at(i - 3, y), at(i, y - 1), at(i - 3, y - 1))
          let guess = left + above - corner
          let distances = [abs(guess - left), abs(guess - above), abs(guess - corner)]
          let nearest = [left, above, corner][distances.firstIndex(of: distances.min()!)!]
          let predicted = [0, left, above, (left + above) / 2, nearest][Int(kind)]
          return UInt8(truncatingIfNeeded: at(i, y) - predicted)
        }
    }
  }

  /// Flat areas, thin lines and noise.
  private func picture(_ width: Int, _ height: Int) -> Image {
    var random = Seeds(kind: "png", seed: 3).stream("\(width)x\(height)")
    var pixels: [UInt8] = []
    for y in 0..<height {
      for x in 0..<width {
        let isNoise = x > width / 2 && y > height / 2
        let flat = [UInt8(y / 7 * 40 % 256), UInt8(x / 11 * 30 % 256), x == y ? 255 : 0]
        pixels += isNoise ? (0..<3).map { _ in UInt8(random.below(256)) } : flat
      }
    }
    return Image(width: width, height: height, channels: 3, pixels: pixels)
  }

  @Test("every filter is decoded, to colours and to ids", arguments: [(1, 1), (2, 5), (10, 3), (41, 33)])
  func filters(_ width: Int, _ height: Int) throws {
    let image = picture(width, height)
    for filter: UInt8 in 0...5 {
      let rows = filtered(image) { filter == 5 ? UInt8($0 * 3 % 5) : filter }
      let stream = PNGDeflate.zlibStream(of: rows)
      let (first, second) = (Array(stream.prefix(7)), Array(stream.dropFirst(7)))
      let end = chunk("IEND", [])
      let whole = header(width, height) + chunk("IDAT", stream) + end
      let parts =
        header(width, height) + chunk("tEXt", [65, 0, 66]) + chunk("IDAT", first) + chunk("IDAT", second) + end
      // An image with transparency is decoded by libpng, without its transparency.
      let throughLibpng = header(width, height) + chunk("tRNS", [0, 1, 0, 2, 0, 3]) + chunk("IDAT", stream) + end
      for bytes in [whole, parts, throughLibpng] {
        let encoded = try EncodedImage(bytes, place: "picture")
        #expect(try encoded.decoded() == image)
        #expect(try encoded.labels() == LabelImage(rgb: image))
        let error = #expect(throws: ImageError.self) { try EncodedImage(bytes + [1, 2, 3], place: "longer").decoded() }
        #expect(error?.message.contains("bytes after the end") == true)
      }
    }
  }

  @Test("damage is refused with the message of libpng")
  func damage() throws {
    let image = picture(12, 9)
    let rows = filtered(image) { _ in 1 }
    let stream = PNGDeflate.zlibStream(of: rows)
    func message(_ stream: [UInt8], _ height: Int = 9, extra: [UInt8] = [], broken: Bool = false) -> String? {
      var idat = chunk("IDAT", stream)
      if broken { idat[idat.count - 1] ^= 1 }
      let bytes = header(12, height) + extra + idat + chunk("IEND", [])
      let error = #expect(throws: ImageError.self) { try ImageFile.decode(bytes, place: "picture") }
      #expect(error?.code == .corrupt || error?.code == .unsupported)
      return error?.message
    }
    var wrongSum = stream
    wrongSum[stream.count - 1] ^= 1
    var wrongFilter = rows
    wrongFilter[37] = 5
    let messages = [
      message(wrongSum), message(PNGDeflate.zlibStream(of: wrongFilter)), message(stream, 10), message([]),
      message(stream, broken: true), message(Array(stream.dropLast(9))), message(stream, extra: chunk("ABCD", [])),
      message(Array(stream.dropFirst(2))),
    ]
    for message in messages { #expect(message?.contains(": ") == true) }
  }
}
