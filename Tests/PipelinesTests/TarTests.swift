import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import CommandStages
@testable import PipelineModel
@testable import Provenance

@Suite("Tar writes and reads archives")
struct TarTests {
  @Test("ordinary, long and unusual names round-trip with modes and contents")
  func roundTrip() throws {
    let bench = try Bench()
    let path = bench.folder + "/a.tar"
    let names = [
      "plain", "a/b/c.txt", String(repeating: "n", count: 100), String(repeating: "d/", count: 60) + "deep",
      String(repeating: "n", count: 101), "naïve/täxt",
      String(repeating: "x", count: 250) + "/" + String(repeating: "y", count: 250),
    ]
    let writer = try TarWriter(path: path)
    for (i, name) in names.enumerated() {
      try writer.add(name, [UInt8](repeating: UInt8(i), count: i * 511), executable: i % 2 == 1)
    }
    try writer.finish()
    let reader = try TarReader(path: path)
    for (i, name) in names.enumerated() {
      let entry = try #require(try reader.next())
      #expect(entry.name == name && entry.isExecutable == (i % 2 == 1))
      #expect(try reader.contents() == [UInt8](repeating: UInt8(i), count: i * 511))
    }
    #expect(try reader.next() == nil)
    // As tools other than this reader see it.
    let tool = try #require(ToolFinder(searchPath: ToolFinder.standardPath).find("tar"))
    let process = ChildProcess(
      executable: tool, arguments: ["tar", "-tf", path], environment: ["LC_ALL": "C.UTF-8"], folder: bench.folder)
    #expect(
      try process.run(output: bench.folder + "/list", errors: bench.folder + "/err", interruption: Interruption())
        == .exited(0))
    let listed = String(decoding: try Files.read(bench.folder + "/list"), as: UTF8.self).split(separator: "\n")
    #expect(listed.map(String.init).count == names.count && listed.starts(with: names.prefix(4).map { Substring($0) }))
  }

  @Test("links, inconsistent headers and truncated archives are refused")
  func refusals() throws {
    let bench = try Bench()
    let path = bench.folder + "/a.tar"
    let writer = try TarWriter(path: path)
    try writer.add("file", Array("content".utf8))
    try writer.finish()
    let sound = try Files.read(path)
    func refused(_ change: (inout [UInt8]) -> Void) throws -> Bool {
      var bytes = sound
      change(&bytes)
      // The checksum is right; what it covers is wrong.
      for i in 148..<156 { bytes[i] = 0x20 }
      let sum = bytes.prefix(512).reduce(0) { $0 + Int($1) }
      let digits = String(sum, radix: 8)
      bytes.replaceSubrange(148..<154, with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8))
      try Files.write(bytes, to: path)
      do {
        let reader = try TarReader(path: path)
        while let _ = try reader.next() { _ = try reader.contents() }
        return false
      } catch let error as PipelineError {
        return error.code == .badArtifact
      }
    }
    #expect(try !refused { _ in })
    for type in "123467gLK" { #expect(try refused { $0[156] = type.asciiValue! }, "type \(type)") }
    #expect(try refused { $0.replaceSubrange(124..<135, with: Array("77777777777".utf8)) })
    #expect(try refused { $0[124] = 0x80 })
    #expect(try refused { $0[0] = UInt8(ascii: "/") })
    #expect(try refused { $0[257] = 0 })
    // Truncated anywhere: an error, or, within the padding at the end, no effect.
    for length in stride(from: 0, to: 1024, by: 37) {
      try Files.write(Array(sound.prefix(length)), to: path)
      #expect(throws: PipelineError.self) {
        let reader = try TarReader(path: path)
        while let _ = try reader.next() { _ = try reader.contents() }
      }
    }
  }
}
