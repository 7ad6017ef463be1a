import Determinism
import Foundation
import Testing

@testable import Vision

/// What decoders only warn of, because they make something up and go on, is an error that says what they say.
@Suite("Decoder warnings are errors")
struct DecoderWarningTests {
  private func refusal(_ bytes: [UInt8]) -> ImageError? {
    let error = #expect(throws: ImageError.self) { try ImageFile.decode(bytes, place: "picture.jpg") }
    #expect(error?.description.hasPrefix("picture.jpg: error: ") == true && error?.code == .corrupt)
    // A part of the picture is refused as the picture is.
    if let file = try? EncodedImage(bytes, place: "picture.jpg") {
      let part = PixelRectangle(x: 0, y: 0, width: min(3, file.width), height: 1)
      #expect(throws: ImageError.self) { try file.decoded(part) }
    }
    return error
  }

  private static let jpegs = ImageDecoderSamples.all.dropLast() + PartialDecodingSamples.all

  /// Where the compressed samples of the last scan begin.
  private func scan(of jpeg: [UInt8]) -> Int {
    let marker = jpeg.indices.last { $0 + 1 < jpeg.count && jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xDA }!
    return marker + 2 + Int(jpeg[marker + 2]) << 8 + Int(jpeg[marker + 3])
  }

  /// Where the frame header states height and width.
  private func frame(of jpeg: [UInt8]) -> Int {
    jpeg.indices.first { jpeg[$0] == 0xFF && [0xC0, 0xC1, 0xC2].contains(jpeg[$0 + 1]) }! + 5
  }

  @Test("half of the samples and an end marker", arguments: jpegs)
  func half(_ jpeg: [UInt8]) {
    let start = scan(of: jpeg)
    for share in [0, 1, 2, 3] {
      var cut = start + (jpeg.count - 2 - start) * share / 4
      if jpeg[cut - 1] == 0xFF { cut -= 1 }
      #expect(refusal(Array(jpeg[..<cut]) + [0xFF, 0xD9]) != nil)
    }
  }

  @Test("a header that claims more or fewer rows than there are", arguments: jpegs)
  func height(_ jpeg: [UInt8]) {
    let place = frame(of: jpeg)
    for change in [-16, 16, 64] {
      var lie = jpeg
      lie[place + 1] = UInt8(Int(lie[place + 1]) + change)
      #expect(refusal(lie) != nil)
    }
  }

  @Test("bytes that belong to nothing before the end marker", arguments: jpegs)
  func superfluous(_ jpeg: [UInt8]) {
    let error = refusal(Array(jpeg.dropLast(2)) + [UInt8](repeating: 7, count: 40) + [0xFF, 0xD9])
    #expect(error?.message.contains("Corrupt JPEG data") == true)
  }

  @Test("a progressive picture whose last scans are missing", arguments: [1, 7])
  func scans(_ index: Int) {
    let jpeg = Array(Self.jpegs)[index == 1 ? 1 : 6]
    let starts = jpeg.indices.filter { $0 + 1 < jpeg.count && jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xDA }
    #expect(starts.count > 3)
    for start in starts.dropFirst() {
      let error = refusal(Array(jpeg[..<start]) + [0xFF, 0xD9])
      #expect(error?.message.contains("before the last scan") == true)
    }
  }

  @Test("PNG: a cut stream, another checksum, bytes behind the end")
  func png() {
    let png = ImageDecoderSamples.all[5]
    for bytes in [Array(png.dropLast(1)), Array(png.dropLast(12)), png + [0], png + png] {
      #expect(refusal(bytes) != nil)
    }
    for i in png.indices.dropFirst(29) {
      var changed = png
      changed[i] ^= 0x20
      // Every byte behind the header chunk is guarded by a checksum, or is one.
      #expect(throws: ImageError.self) { try ImageFile.decode(changed, place: "byte \(i)") }
    }
  }

  @Test("sound pictures are decoded", arguments: jpegs)
  func sound(_ jpeg: [UInt8]) throws { #expect(try ImageFile.decode(jpeg, place: "sound").pixels.count > 0) }
}
