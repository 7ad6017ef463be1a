import Determinism
import Foundation
import Testing

@testable import Vision

/// Where decoders warn and fill in missing samples, decoding is an error with the text of the warning.
@Suite("Decoder warnings are errors")
struct DecoderWarningTests {
  private func refusal(_ bytes: [UInt8]) -> ImageError? {
    let error = #expect(throws: ImageError.self) { try ImageFile.decode(bytes, place: "picture.jpg") }
    #expect(error?.description.hasPrefix("picture.jpg: error: ") == true && error?.code == .corrupt)
    // Decoding a part of the image is refused too.
    if let file = try? EncodedImage(bytes, place: "picture.jpg") {
      let part = PixelRectangle(x: 0, y: 0, width: min(3, file.width), height: 1)
      #expect(throws: ImageError.self) { try file.decoded(part) }
    }
    return error
  }

  private static let jpegs = ImageDecoderSamples.all.dropLast() + PartialDecodingSamples.all

  /// The position of the compressed samples of the last scan.
  private func scan(of jpeg: [UInt8]) -> Int {
    let marker = jpeg.indices.last { $0 + 1 < jpeg.count && jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xDA }!
    return marker + 2 + Int(jpeg[marker + 2]) << 8 + Int(jpeg[marker + 3])
  }

  /// The position of height and width in the frame header.
  private func frame(of jpeg: [UInt8]) -> Int {
    jpeg.indices.first { jpeg[$0] == 0xFF && [0xC0, 0xC1, 0xC2].contains(jpeg[$0 + 1]) }! + 5
  }

  @Test("truncated samples before an end marker are refused", arguments: jpegs)
  func truncated(_ jpeg: [UInt8]) {
    let start = scan(of: jpeg)
    for share in [0, 1, 2, 3] {
      var cut = start + (jpeg.count - 2 - start) * share / 4
      if jpeg[cut - 1] == 0xFF { cut -= 1 }
      #expect(refusal(Array(jpeg[..<cut]) + [0xFF, 0xD9]) != nil)
    }
  }

  @Test("a header with a wrong number of rows is refused", arguments: jpegs)
  func height(_ jpeg: [UInt8]) {
    let place = frame(of: jpeg)
    for change in [-16, 16, 64] {
      var forged = jpeg
      forged[place + 1] = UInt8(Int(forged[place + 1]) + change)
      #expect(refusal(forged) != nil)
    }
  }

  @Test("extraneous bytes before the end marker are refused", arguments: jpegs)
  func superfluous(_ jpeg: [UInt8]) {
    let error = refusal(Array(jpeg.dropLast(2)) + [UInt8](repeating: 7, count: 40) + [0xFF, 0xD9])
    #expect(error?.message.contains("Corrupt JPEG data") == true)
  }

  @Test("a progressive JPEG without its last scans is refused", arguments: [1, 7])
  func scans(_ index: Int) {
    let jpeg = Array(Self.jpegs)[index == 1 ? 1 : 6]
    let starts = jpeg.indices.filter { $0 + 1 < jpeg.count && jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xDA }
    #expect(starts.count > 3)
    for start in starts.dropFirst() {
      let error = refusal(Array(jpeg[..<start]) + [0xFF, 0xD9])
      #expect(error?.message.contains("before the last scan") == true)
    }
  }

  @Test("a truncated PNG, a wrong checksum and bytes after the end are refused")
  func png() {
    let png = ImageDecoderSamples.all[5]
    for bytes in [Array(png.dropLast(1)), Array(png.dropLast(12)), png + [0], png + png] {
      #expect(refusal(bytes) != nil)
    }
    for i in png.indices.dropFirst(29) {
      var changed = png
      changed[i] ^= 0x20
      // Every byte after the header chunk is covered by a checksum, or is one.
      #expect(throws: ImageError.self) { try ImageFile.decode(changed, place: "byte \(i)") }
    }
  }

  @Test("valid JPEGs are decoded", arguments: jpegs)
  func sound(_ jpeg: [UInt8]) throws { #expect(try ImageFile.decode(jpeg, place: "sound").pixels.count > 0) }
}
