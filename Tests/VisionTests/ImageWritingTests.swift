import Determinism
import Foundation
import Testing

@testable import Vision

@Suite("PNGWriter")
struct ImageWritingTests {
  static func picture(_ width: Int, _ height: Int, channels: Int, flat: Bool) -> Image {
    var state: UInt32 = 7
    var pixels = [UInt8]()
    for y in 0..<height {
      for x in 0..<width {
        for c in 0..<channels {
          state = state &* 1_664_525 &+ 1_013_904_223
          let patch = (x / 9) * 5 + (y / 7) * 3 + c
          pixels.append(flat ? UInt8(patch & 63) : UInt8(state >> 24))
        }
      }
    }
    return Image(width: width, height: height, channels: channels, pixels: pixels)
  }

  @Test(
    "libpng reads the written samples",
    arguments: [(1, 1), (1, 7), (7, 1), (27, 21), (300, 5), (97, 101), (260, 260), (641, 427)], [true, false])
  func roundTrip(_ size: (Int, Int), _ flat: Bool) throws {
    let image = ImageWritingTests.picture(size.0, size.1, channels: 3, flat: flat)
    let bytes = PNGWriter.encode(image)
    #expect(try ImageFile.decode(bytes, place: "png") == image)
    // The file is never much larger than the samples: incompressible blocks are stored.
    #expect(bytes.count < image.pixels.count + image.height + 200 + image.pixels.count / 1000)
    let gray = ImageWritingTests.picture(size.0, size.1, channels: 1, flat: flat)
    let path = NSTemporaryDirectory() + "/\(UUID().uuidString).png"
    defer { unlink(path) }
    try PNGWriter.write(gray, to: path)
    #expect(try ImageFile.readIndices(path: path) == gray)
  }

  @Test("runs of equal samples of every length round-trip")
  func runs() throws {
    for length in 1...600 {
      let pixels = [UInt8](repeating: 9, count: length) + [1, 2, 3] + [UInt8](repeating: 255, count: length)
      let image = Image(width: pixels.count, height: 1, channels: 1, pixels: pixels)
      let rgb = try ImageFile.decode(PNGWriter.encode(image), place: "\(length)")
      #expect(stride(from: 0, to: rgb.pixels.count, by: 3).map { rgb.pixels[$0] } == pixels)
    }
  }

  @Test("the bytes of a file are a function of its samples, on every machine")
  func golden() {
    let flat = PNGWriter.encode(ImageWritingTests.picture(97, 101, channels: 3, flat: true))
    let noise = PNGWriter.encode(ImageWritingTests.picture(33, 20, channels: 1, flat: false))
    #expect(Digest(of: flat).hex == "59f7e6c837b743faba24c34b5faeeb689a837b46f172ed46c611593121e1ae12")
    #expect(Digest(of: noise).hex == "349cd45e7e16a8834a17d583306bb2815e4f20b4c43b5ebbb0d180b8ea13682e")
  }

  @Test("a label map round-trips in a small file")
  func labels() throws {
    let ids = (0..<640 * 480).map { (i: Int) -> UInt32 in
      let row = i / 640 / 60
      let column = i % 640 / 80
      return UInt32(row * 70_000 + column)
    }
    let map = LabelImage(width: 640, height: 480, ids: ids)
    let path = NSTemporaryDirectory() + "/\(UUID().uuidString).png"
    defer { unlink(path) }
    try PNGWriter.write(map, to: path)
    #expect(try ImageFile.readLabelPNG(path: path) == map)
    #expect(PNGWriter.encode(map.rgb).count < 30_000)
    try PNGWriter.write(Image(width: 3, height: 3, channels: 1), to: path)
    let error = #expect(throws: ImageError.self) { try ImageFile.readLabelPNG(path: path) }
    #expect(error?.description == "\(path): error: a panoptic PNG holds its ids in 8-bit RGB; this is a gray picture")
    let unwritable = #expect(throws: FileFailure.self) { try PNGWriter.write(map, to: "/no/such/folder/x.png") }
    #expect(unwritable?.path == "/no/such/folder/x.png")
  }
}
