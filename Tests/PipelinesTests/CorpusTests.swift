import Determinism
import Foundation
import PipelineFiles
import Testing

@testable import ArtifactStore
@testable import PipelineModel

@Suite("The fuzzing corpus of texts")
struct CorpusTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fuzz/corpus").path

  private static func files(_ name: String) throws -> [(name: String, bytes: [UInt8])] {
    try Files.list("\(folder)/\(name)").map { ($0, try Files.read("\(folder)/\(name)/\($0)")) }
  }

  /// The script that generates them follows the documented formats, not this code.
  @Test("records, manifests, index lines and JSON are read as documented")
  func records() throws {
    let texts = Dictionary(
      uniqueKeysWithValues: try Self.files("record").map { ($0.name, Array($0.bytes.dropFirst())) })
    for name in ["plain", "inputs", "source"] {
      let bytes = try #require(texts[name])
      let record = try Record(fileBytes: bytes, at: name)
      #expect(record.fileBytes == bytes, "\(name) is written again as it was")
    }
    let plain = try Record(fileBytes: try #require(texts["plain"]), at: "plain")
    #expect(plain.trace.steps.keys.sorted() == [1] && plain.identity.seed == 7)
    let manifest = try #require(texts["tree"])
    let tree = try #require(TreeManifest(bytes: manifest))
    #expect(tree.entries.map(\.path) == ["a/b.txt", "c d"])
    let index = StoreIndex(lines: try #require(texts["index"]), path: "/dev/null", mode: .whereItCan)
    #expect(index.entry(plain.key)?.outputs.keys.sorted() == ["weights"])
    #expect(index.failure(plain.key) == "picture 7 is no JPEG")
    #expect(try CanonicalValue(json: try #require(texts["json"]))["a"]?.arrayValue?.count == 8)
  }

  @Test("every truncated text and every text with one changed byte is read or refused")
  func damage() throws {
    for (name, bytes) in try Self.files("record") {
      let body = Array(bytes.dropFirst())
      for i in stride(from: 0, to: body.count, by: 7) {
        var changed = body
        changed[i] ^= 0x15
        for text in [Array(body[..<i]), changed] {
          #expect((try? Record(fileBytes: text, at: name)) == nil, "\(name), \(i)")
          _ = TreeManifest(bytes: text)
          _ = StoreIndex(lines: text, path: "/dev/null", mode: .whereItCan)
          _ = try? CanonicalValue(json: text)
        }
      }
    }
    for (name, bytes) in try Self.files("yaml") {
      for i in stride(from: 0, to: bytes.count, by: 5) {
        var changed = bytes
        changed[i] ^= 0x15
        for text in [Array(bytes[..<i]), changed] {
          guard let text = String(validating: text, as: UTF8.self) else { continue }
          do {
            _ = try PipelineFile(text: text, path: name).description()
          } catch let error as PipelineError {
            #expect(error.isUserData && error.location != nil, "\(name), \(i): \(error)")
          }
        }
      }
    }
  }
}
