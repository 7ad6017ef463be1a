import Determinism
import Foundation
import Testing

@testable import TensorFiles

@Suite("Limits on names, attributes, memory and disk")
struct BudgetTests {
  @Test("names, depth and number of objects have limits that writer and reader share")
  func names() throws {
    let one = NamedTensor([Float(1)])
    func refusal(_ names: [String]) -> TensorFileError.Code? {
      do {
        _ = try TensorFile(tensors: names.map { ($0, one) })
        return nil
      } catch {
        return error.code
      }
    }
    #expect(refusal([String(repeating: "n", count: 4097)]) == .badName)
    #expect(refusal([Array(repeating: "d", count: 66).joined(separator: "/")]) == .badName)
    #expect(refusal(["\u{E9}", "e\u{301}"]) == .badName)
    #expect(refusal((0..<200_000).map { "t\($0)" }) == .tooLarge)
    #expect(refusal((0..<100_000).map { "g\($0)/t" }) == .tooLarge)
    #expect(refusal((0..<20_000).map { "t\($0)" + String(repeating: "n", count: 4000) }) == .tooLarge)
    // Names just within the limits round-trip.
    let edges = [
      String(repeating: "n", count: 4096), Array(repeating: "d", count: 65).joined(separator: "/"),
    ]
    let file = try TensorFile(tensors: edges.map { ($0, one) })
    #expect(try TensorFile(bytes: file.encoded(), place: "edges") == file)
  }

  @Test("attributes have limits that writer and reader share")
  func attributes() throws {
    func attempt(_ attributes: [String: CanonicalValue]) throws(TensorFileError) {
      let file = try TensorFile(tensors: [], attributes: attributes)
      let again = try TensorFile(bytes: file.encoded(), place: "attributes")
      #expect(again == file)
    }
    let cost = { (name: String, value: CanonicalValue) in Int(Attributes.cost(name, value)) }
    #expect(cost("ab", 7) == 10 && cost("ab", [1, 2]) == 18 && cost("ab", "xyz") == 21)
    let most = 16 << 20
    try attempt(["a": .string(String(repeating: "x", count: most - 17))])
    try attempt(["a": .array((0..<(most / 8 - 1)).map { .integer($0) })])
    let json = CanonicalValue.array([.null, .string(String(repeating: "x", count: most - 30 - 10))])
    try attempt(["a": json])
    #expect(throws: TensorFileError.self) { try attempt(["a": .string(String(repeating: "x", count: most))]) }
    #expect(throws: TensorFileError.self) { try attempt(["a": .array((0..<(most / 8)).map { .integer($0) })]) }
    let many = Dictionary(uniqueKeysWithValues: (0..<5_000).map { ("k\($0)", CanonicalValue.integer($0)) })
    try attempt(many)
  }

  /// Runs `digest` of a file in a child process with a limit on its memory, in KiB.
  private func digest(_ path: String, _ reader: String, limit: Int, _ options: String = "") -> LimitedProcess.Outcome {
    LimitedProcess.run(
      "/bin/sh", ["-c", "ulimit -v \(limit); exec \"$0\" digest \"$1\" \(options) 2>&1", reader, path], seconds: 300)
  }

  @Test("a sound file read under a memory limit is not called malformed", Reader.needed)
  func limitedMemory() throws {
    let reader = try #require(Reader.executable)
    try withTemporaryFolder { folder in
      let path = folder + "/sound.h5"
      let file = try TensorFile(tensors: Sample.tensors(), attributes: Sample.attributes)
      try file.write(to: path)
      for limit in [8_000_000, 3_000_000, 1_000_000, 600_000] {
        #expect(digest(path, reader, limit: limit) == .exited(0, output: file.digest.hex + "\n"), "\(limit)")
      }
      try FileIO.write(Array("no HDF5".utf8), to: path)
      guard case .exited(65, _) = digest(path, reader, limit: 3_000_000) else {
        Issue.record("a malformed file is not called so")
        return
      }
    }
  }

  @Test("too little memory is reported as such", Reader.needed, ForeignContentTests.needed)
  func scarceMemory() throws {
    let reader = try #require(Reader.executable)
    // One compressed chunk of 256 MiB, which the library reads as a whole.
    let script = """
      import h5py, numpy as np, sys
      with h5py.File(sys.argv[1], "w") as h:
          h.create_dataset("x", data=np.zeros(1 << 26, "f4"), chunks=(1 << 26,), compression="gzip")
      """
    try withTemporaryFolder { folder in
      let path = folder + "/chunk.h5"
      let made = LimitedProcess.run(ForeignContentTests.python, ["-c", script, path], seconds: 300)
      #expect(made == .exited(0, output: ""))
      guard case .exited(1, let output) = digest(path, reader, limit: 330_000) else {
        Issue.record("\(digest(path, reader, limit: 330_000))")
        return
      }
      #expect(output.contains("not enough memory") && output.contains("ulimit -v"))
      let allowed = digest(path, reader, limit: 8_000_000, "--memory 6000")
      let expected = try TensorFile.digest(ofFileAt: path).hex + "\n"
      #expect(allowed == .exited(0, output: expected))
      guard case .exited(1, let reply) = digest(path, reader, limit: 8_000_000, "--memory 300") else {
        Issue.record("a small --memory is not said")
        return
      }
      #expect(reply.contains("--memory"))
    }
  }

  @Test("the memory that pickles and headers take is bounded")
  func floods() throws {
    func pickle(_ part: [UInt8], _ count: Int) -> TensorFileError.Code? {
      let bytes: [UInt8] = [0x80, 2] + Array(repeatElement(part, count: count).joined()) + [UInt8(ascii: ".")]
      do {
        _ = try Pickle(bytes, place: "pickle")
        return nil
      } catch {
        return error.code
      }
    }
    let n = 3_000_000
    #expect(pickle(Array(")".utf8), n) == .tooLarge)
    #expect(pickle(Array("(".utf8), n) == .tooLarge)
    #expect(pickle(Array("N\u{85}".unicodeScalars.map { UInt8($0.value) }), n) == .tooLarge)
    #expect(pickle([UInt8(ascii: "N"), 0x94], n) == .tooLarge)
    #expect(pickle([UInt8(ascii: "}")], n) == .tooLarge)
    #expect(pickle([UInt8(ascii: "]")], n) == .tooLarge)
    try withTemporaryFolder { folder in
      let header =
        Array("{\"a\":[".utf8) + Array(repeatElement(Array("[],".utf8), count: 2_000_001).joined()) + Array("0]}".utf8)
      var bytes = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
      bytes += header
      try FileIO.write(bytes, to: folder + "/flood.safetensors")
      let error = #expect(throws: TensorFileError.self) { try WeightsFile.read(folder + "/flood.safetensors") }
      #expect(error?.code == .tooLarge)
    }
  }

  @Test("ignored entries are reported with a count and an example")
  func notes() throws {
    var notes = [String]()
    _ = try WeightsFile.read(WeightsFileTests.folder + "/nested.pt") { notes.append($0) }
    _ = try WeightsFile.read(WeightsFileTests.folder + "/plain.safetensors") { notes.append($0) }
    for note in notes { #expect(note.contains("such as '") || note.contains("tensors that are in lists")) }
    #expect(!notes.isEmpty)
  }

  @Test("publish replaces a regular file as a whole and refuses anything else")
  func publishing() throws {
    let file = try TensorFile(tensors: [("x", NamedTensor([Float(1)]))])
    try withTemporaryFolder { folder in
      let path = folder + "/out.h5"
      try FileIO.write([1, 2, 3], to: path)
      try file.publish(to: path)
      #expect(try TensorFile.read(path) == file)
      #expect(try FileIO.list(folder) == ["out.h5"])
      mkfifo(folder + "/pipe", 0o600)
      for target in [folder, folder + "/pipe", "/dev/null"] {
        #expect(throws: FileFailure.self) { try file.publish(to: target) }
      }
      #expect(FileIO.kind("/dev/null") == .other && FileIO.kind(folder + "/pipe") == .other)
      #expect(throws: TensorFileError.self) { try file.publish(to: folder + "/none/out.h5") }
    }
  }
}
