import Foundation
import Testing

@testable import Vision

@Suite("The fuzzing corpus of images")
struct CorpusTests {
  private static func files(_ name: String) throws -> [(name: String, bytes: [UInt8])] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fuzz/corpus/\(name)").path
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map {
      ($0, try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)"))))
    }
  }

  @Test(
    "every image is decoded; truncated or with one changed byte it is decoded or refused",
    arguments: ["jpeg", "png"])
  func pictures(_ format: String) throws {
    for (name, bytes) in try Self.files(format) {
      let whole = try EncodedImage(bytes, place: name).decoded()
      #expect(whole.width > 0 && whole.height > 0)
      for i in stride(from: 0, to: bytes.count, by: 11) {
        var changed = bytes
        changed[i] ^= 0x55
        for text in [Array(bytes[..<i]), changed] { _ = try? EncodedImage(text, place: name).decoded() }
      }
    }
  }
}
