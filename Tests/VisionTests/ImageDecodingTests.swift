import Determinism
import Foundation
import Testing

@testable import Vision

@Suite("ImageFile and EncodedImage agree with Pillow 13")
struct ImageDecodingTests {
  /// Mean and standard deviation of each channel, in binary64.
  private func statistics(_ image: Image) -> (mean: [Double], deviation: [Double]) {
    var sum = [0.0, 0.0, 0.0]
    var squares = [0.0, 0.0, 0.0]
    for (i, v) in image.pixels.enumerated() {
      sum[i % 3] += Double(v)
      squares[i % 3] += Double(v) * Double(v)
    }
    let n = Double(image.width * image.height)
    return (sum.map { $0 / n }, (0..<3).map { max(0, squares[$0] / n - sum[$0] / n * sum[$0] / n).squareRoot() })
  }

  /// Compares an image with the reference's record of it.
  /// - Returns: whether the samples were compared exactly.
  private func compare(_ image: Image, with info: CanonicalValue, _ name: String) -> Bool {
    let size = info["size"]?.arrayValue?.compactMap(\.integerValue)
    #expect(size == [image.width, image.height], "\(name)")
    let (mean, deviation) = statistics(image)
    let expectedMean = info["rgb_mean"]?.arrayValue?.compactMap(\.numberValue) ?? []
    let expectedDeviation = info["rgb_std"]?.arrayValue?.compactMap(\.numberValue) ?? []
    for c in 0..<3 {
      #expect(abs(mean[c] - expectedMean[c]) < 1e-6, "\(name): mean of channel \(c)")
      #expect(abs(deviation[c] - expectedDeviation[c]) < 1e-5, "\(name): deviation of channel \(c)")
    }
    let sum = info["native_sha256"]?.stringValue
    switch info["mode"]?.stringValue {
    case "RGB":
      #expect(Digest(of: image.pixels).hex == sum, "\(name)")
      return true
    case "L":
      let gray = stride(from: 0, to: image.pixels.count, by: 3).map { image.pixels[$0] }
      #expect(Digest(of: gray).hex == sum, "\(name)")
      return true
    default:
      // For palettes, alpha, CMYK and 16 bits the record holds the samples before conversion to RGB.
      return false
    }
  }

  /// Images whose statistics the reference computed after another conversion.
  private func isSixteenBitGray(_ info: CanonicalValue) -> Bool { info["mode"] == "I;16" }

  @Test(
    "valid images have the same samples", ImageData.needed,
    arguments: [("jpeg_flavours", 15), ("png_valid", 20), ("coco", 10), ("imagenet", 40), ("ade20k", 1)])
  func valid(_ folder: String, _ least: Int) throws {
    let reference = try #require(ImageData.reference(folder, "expected_decode.json"))
    var exact = 0
    for (name, record) in reference.files where record["outcome"] == "ok" {
      guard let info = record["info"] else { continue }
      guard ["JPEG", "PNG"].contains(info["format"]?.stringValue) else { continue }
      let image: Image
      do {
        image = try ImageFile.read(path: "\(reference.folder)/\(name)")
      } catch {
        Issue.record("\(error)")
        continue
      }
      // Pillow clips 16-bit gray to 255 in a conversion to RGB. This decoder keeps the upper byte, as for colour.
      if isSixteenBitGray(info) { continue }
      exact += compare(image, with: info, name) ? 1 : 0
    }
    #expect(exact >= least, "\(folder): \(exact) compared sample by sample")
  }

  @Test("palette indices and gray levels of label maps are read as stored", ImageData.needed)
  func indices() throws {
    let reference = try #require(ImageData.reference("png_valid", "expected_decode.json"))
    var compared = 0
    for (name, record) in reference.files {
      guard let info = record["info"], info["mode"] == "P" else { continue }
      let image = try ImageFile.readIndices(path: "\(reference.folder)/\(name)")
      #expect(Digest(of: image.pixels).hex == info["native_sha256"]?.stringValue, "\(name)")
      compared += 1
    }
    #expect(compared >= 30)
    let colour = #expect(throws: ImageError.self) {
      try ImageFile.readIndices(path: reference.folder + "/basn2c08.png")
    }
    #expect(colour?.code == .unsupported)
  }

  @Test(
    "malformed images are refused or have the samples of the reference", ImageData.needed,
    arguments: ["bad/png", "bad/jpeg"])
  func malformed(_ folder: String) throws {
    let reference = try #require(ImageData.reference(folder, "expected_outcome.json"))
    var refused = 0
    for (name, record) in reference.files {
      let path = "\(reference.folder)/\(name)"
      do {
        let image = try ImageFile.read(path: path)
        // Where only the reference fails, it fails on metadata that this decoder does not read.
        if record["outcome"] == "ok", let info = record["info"] {
          let size = info["size"]?.arrayValue?.compactMap(\.integerValue)
          #expect(size == [image.width, image.height], "\(name)")
        } else {
          print("accepted, though the reference says \(record["error"]?.stringValue ?? ""): \(name)")
        }
        // "xcsn0g01" carries a wrong checksum that the reference overlooks; every other x-file of the suite is broken.
        #expect(!name.hasPrefix("x"), "\(name) is broken on purpose")
      } catch let error as ImageError {
        #expect(error.description.hasPrefix("\(path): error: "))
        #expect(error.isUserData)
        if record["outcome"] == "ok" { print("refused, though the reference accepts: \(error)") }
        refused += 1
      }
    }
    #expect(refused * 2 > reference.files.count)
  }

  @Test("the decoder identity is the published one of libjpeg-turbo with the integer DCT")
  func identity() {
    // Computed with Pillow 13 (libjpeg-turbo 3) from the same six pictures, converted to RGB.
    let published = "ce280e216b03c8b4f6cc5cf55c83370a9b5d98aaa995b949b168db275dce91eb"
    #expect(ImageFile.decoderIdentity.hex == published)
  }

  @Test("a decoded part has the samples of the whole image")
  func parts() throws {
    #expect(ImageFile.decodesPartsExactly)
    var pictures = (ImageDecoderSamples.all + PartialDecodingSamples.all).enumerated().map {
      ("built-in picture \($0)", $1)
    }
    for folder in ["jpeg_flavours", "imagenet", "coco"] {
      guard let reference = ImageData.reference(folder, "expected_decode.json") else { continue }
      for (name, record) in reference.files where record["info"]?["format"] == "JPEG" {
        let path = "\(reference.folder)/\(name)"
        pictures.append((path, try ImageFile.bytes(ofFileAt: path)))
      }
    }
    var random = Seeds(kind: "test", seed: 1).stream("parts")
    for (name, bytes) in pictures {
      guard let file = try? EncodedImage(bytes, place: name), let whole = try? file.decoded() else { continue }
      for _ in 0..<(whole.width <= 100 ? 100 : 8) {
        let (x, y) = (random.below(whole.width), random.below(whole.height))
        let part = PixelRectangle(
          x: x, y: y, width: 1 + random.below(whole.width - x), height: 1 + random.below(whole.height - y))
        #expect(try file.decoded(part) == whole.cropped(part), "\(part) of \(name)")
      }
    }
  }

  @Test("every proper prefix of a JPEG or PNG is refused", arguments: 0..<6)
  func prefixes(_ index: Int) {
    let whole = ImageDecoderSamples.all[index]
    #expect(throws: Never.self) { try ImageFile.decode(whole, place: "whole") }
    for length in 0..<whole.count {
      let error = #expect(throws: ImageError.self) {
        try ImageFile.decode(Array(whole[..<length]), place: "prefix")
      }
      #expect(error?.description.hasPrefix("prefix: error: ") == true)
      // A part at the top needs every byte too.
      guard let file = try? EncodedImage(Array(whole[..<length]), place: "prefix") else { continue }
      let sameError = #expect(throws: ImageError.self) {
        try file.decoded(PixelRectangle(x: 3, y: 0, width: 5, height: 1))
      }
      #expect(sameError == error)
    }
  }

  @Test("one changed byte changes samples or is refused, and never crashes", arguments: 0..<6)
  func changedBytes(_ index: Int) {
    let whole = ImageDecoderSamples.all[index]
    for i in whole.indices {
      var changed = whole
      changed[i] ^= UInt8(truncatingIfNeeded: 1 + i &* 73)
      do {
        let image = try ImageFile.decode(changed, place: "changed")
        #expect(image.pixels.count == image.width * image.height * 3)
        // Checksums cover every byte of a PNG; only bits that readers ignore may change unnoticed.
        if index == 5 { #expect(image.width == 27 && image.height == 21) }
      } catch {
        #expect(error is ImageError)
      }
    }
  }

  @Test("a header that claims a huge image is refused before memory is allocated")
  func hugeHeaders() {
    var jpeg = ImageDecoderSamples.all[0]
    let frame = jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 }!
    (jpeg[frame + 5], jpeg[frame + 6], jpeg[frame + 7], jpeg[frame + 8]) = (0xEA, 0x60, 0xEA, 0x60)
    let error = #expect(throws: ImageError.self) { try ImageFile.decode(jpeg, place: "huge") }
    #expect(error?.code == .tooLarge)
    var header: [UInt8] = Array("IHDR".utf8) + [0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60, 8, 2, 0, 0, 0]
    let sum = PNGChecksum.crc32(header)
    header += [UInt8(sum >> 24), UInt8(sum >> 16 & 255), UInt8(sum >> 8 & 255), UInt8(sum & 255)]
    let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + header
    let other = #expect(throws: ImageError.self) {
      try ImageFile.decode(png + [0, 0, 0, 0] + Array("IDAT".utf8) + [0x35, 0xAF, 0x06, 0x1E], place: "huge")
    }
    #expect(other?.code == .tooLarge)
  }

  @Test("missing, empty and other files are reported with their path")
  func unreadable() throws {
    let folder = NSTemporaryDirectory()
    let missing = #expect(throws: ImageError.self) { try ImageFile.read(path: folder + "/no-such.jpg") }
    #expect(missing?.code == .unreadable)
    #expect(throws: ImageError.self) { try ImageFile.read(path: folder) }
    let path = folder + "/\(UUID().uuidString).jpg"
    defer { unlink(path) }
    for content in ["", "GIF89a", "\u{FF}"] {
      try Data(content.utf8).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: ImageError.self) { try ImageFile.read(path: path) }
      #expect(error?.code == .unknownFormat && error?.place == path)
    }
    unlink(path)
    mkfifo(path, 0o600)
    #expect(throws: ImageError(.unreadable, at: path, "not a file")) { try ImageFile.read(path: path) }
  }
}
