import CCodecs
import Foundation
import Testing

@testable import TensorFiles

@Suite("The fuzzing corpus of artifacts")
struct CorpusTests {
  private static func files(_ name: String) throws -> [(name: String, path: String, bytes: [UInt8])] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Fuzz/corpus/\(name)").path
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map {
      ($0, "\(folder)/\($0)", try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)"))))
    }
  }

  @Test("LZ4 chunks decode or fail, also truncated and with one changed byte")
  func chunks() throws {
    for (_, _, bytes) in try Self.files("chunk") {
      for size in [0, 1, 16, 64, 4096] {
        var out = [UInt8](repeating: 0, count: size + 1)
        for i in 0..<bytes.count {
          var changed = bytes
          changed[i] ^= 0x15
          for text in [Array(bytes[..<i]), changed] { _ = cc_lz4_decode(text, text.count, &out, size) }
        }
        #expect(out[size] == 0)
      }
    }
  }

  @Test("artifacts are read; external links, cycles and foreign types are refused with a message")
  func artifacts() throws {
    for (name, path, bytes) in try Self.files("artifact") {
      if name == "own.h5" {
        let file = try TensorFile.read(path)
        #expect(file.names == ["a/x", "y", "z"] && file["a/x"]?.shape == [20, 20])
        #expect(file.attributes["shape"] == [3, 4, 5])
        #expect(try TensorFile.digest(ofFileAt: path) == file.digest)
        #expect(try TensorFile(bytes: bytes, place: name) == file)
      } else {
        let error = #expect(throws: TensorFileError.self) { try TensorFile.read(path) }
        // A header with wrong sizes prevents the file from being opened.
        let expected: [TensorFileError.Code] =
          name == "claims-gigabytes.h5" ? [.unreadable] : [.corrupt, .unsupported, .tooLarge]
        #expect(error.map { expected.contains($0.code) } == true, "\(name): \(String(describing: error))")
      }
    }
  }
}
