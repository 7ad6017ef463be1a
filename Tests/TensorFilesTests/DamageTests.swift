import Determinism
import Foundation
import Synchronization
import Testing

@testable import TensorFiles

@Suite("Damaged and foreign files")
struct DamageTests {
  private func encoded(_ plain: [UInt8], chunkBytes: Int, elementSize: Int) -> [UInt8] {
    let bound = ChunkCoding.bound(chunkBytes: chunkBytes, elementSize: elementSize)
    return [UInt8](unsafeUninitializedCapacity: bound) { target, count in
      count = plain.withUnsafeBytes {
        ChunkCoding.encode(
          $0, into: target.baseAddress!, chunkBytes: chunkBytes, elementSize: elementSize,
          scratch: ScratchBuffers(byteCount: 2 * chunkBytes))
      }
    }
  }

  /// The content; nil for a damaged chunk.
  private func decoded(_ packed: [UInt8], count: Int, chunkBytes: Int, elementSize: Int) -> [UInt8]? {
    var target = [UInt8](repeating: 0, count: count)
    let isSound = packed.withUnsafeBytes { packed in
      target.withUnsafeMutableBytes {
        ChunkCoding.decode(
          packed, into: $0, chunkBytes: chunkBytes, elementSize: elementSize,
          scratch: ScratchBuffers(byteCount: 2 * chunkBytes))
      }
    }
    return isSound ? target : nil
  }

  @Test("an LZ4 chunk truncated at any byte or with one changed byte decodes to its content or fails")
  func chunks() {
    let plain = (0..<3000).map { UInt8(truncatingIfNeeded: $0 / 7 ^ $0 % 5) }
    let packed = encoded(plain, chunkBytes: 4096, elementSize: 4)
    func decode(_ bytes: [UInt8]) -> [UInt8]? { decoded(bytes, count: 3000, chunkBytes: 4096, elementSize: 4) }
    #expect(decode(packed) == plain)
    for length in 0..<packed.count { #expect(decode(Array(packed[..<length])) == nil, "\(length)") }
    for i in 0..<packed.count {
      var changed = packed
      changed[i] ^= 0x5A
      _ = decode(changed)
    }
  }

  @Test("the LZ4 layout is that of HDF5 filter 32004: big-endian sizes, incompressible blocks stored raw")
  func layout() {
    let noise: [UInt8] = [1, 2, 3, 4]
    let packed = encoded(noise, chunkBytes: 4, elementSize: 1)
    #expect(packed == [0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 1, 2, 3, 4])
    // Six bytes in blocks of four: the registered plugin splits long chunks like this.
    let two: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 0, 4, 9, 8, 7, 6, 0, 0, 0, 2, 5, 4]
    #expect(decoded(two, count: 6, chunkBytes: 6, elementSize: 1) == [9, 8, 7, 6, 5, 4])
  }

  @Test(
    "HDF5 files of other programs are read with the values of h5py, LZ4 of the registered plugin included",
    .needs("hdf5"))
  func foreign() throws {
    let folder = try #require(TestData.folder("hdf5"))
    let expected = try CanonicalValue(
      json: Array(Data(contentsOf: URL(fileURLWithPath: folder + "/expected_values.json"))))
    var compared = 0
    for name in TestData.files(in: folder) {
      let datasets = expected["files"]?[name]?["info"]?.objectValue ?? [:]
      let file: TensorFile
      do {
        file = try TensorFile.read("\(folder)/\(name)")
      } catch {
        // Compound, opaque, text and half-precision elements, and filters that need a plugin.
        #expect(error.code == .unsupported || error.code == .corrupt, "\(error)")
        #expect(error.description.hasPrefix("\(folder)/\(name)"))
        continue
      }
      for (path, info) in datasets.sorted(by: { $0.key < $1.key }) {
        guard let sum = info["sha256_le"]?.stringValue else { continue }
        let tensor = try #require(file[path], "\(name): \(path)")
        #expect(Digest(of: tensor.bytes).hex == sum, "\(name): \(path)")
        compared += 1
      }
    }
    #expect(compared >= 50)
    let lz4 = try TensorFile.read(folder + "/h5ex_d_lz4.h5")["DS1"]
    #expect(lz4?.shape == [32, 64])
  }

  // The library keeps its error handler per thread. Without one it prints, and the caller gets no reason.
  @Test("on every thread an error carries the reason of libhdf5")
  func reasons() throws {
    final class Messages: Sendable { let all = Mutex([String]()) }
    let bytes = try TensorFile(tensors: [("x", NamedTensor([Float](repeating: 1, count: 1000)))]).encoded()
    let messages = Messages()
    let threads = (0..<4).map { i in
      Thread {
        do throws(TensorFileError) {
          _ = try TensorFile(bytes: Array(bytes.prefix(bytes.count / 2)), place: "half a file")
        } catch {
          messages.all.withLock { $0.append(error.description) }
        }
      }
    }
    threads.forEach { $0.start() }
    while threads.contains(where: { !$0.isFinished }) { usleep(1000) }
    let said = messages.all.withLock { $0 }
    #expect(said.count == 4 && Set(said).count == 1, "\(said)")
    #expect(said.allSatisfy { $0.contains("half a file") && !$0.contains("reports no reason") }, "\(said)")
  }

  @Test("a header that claims more data than the file can hold is refused before memory is allocated")
  func lies() throws {
    // A sound file, read with a smaller limit.
    let bytes = try TensorFile(tensors: [("x", NamedTensor([Float](repeating: 1, count: 10_000_000)))]).encoded()
    let error = #expect(throws: TensorFileError.self) {
      try TensorFile(bytes: bytes, place: "memory", limits: ReadingLimits(totalBytes: 1 << 20))
    }
    #expect(error?.code == .tooLarge)
    let expansion = #expect(throws: TensorFileError.self) {
      try TensorFile(bytes: bytes, place: "memory", limits: ReadingLimits(expansion: 10))
    }
    #expect(expansion?.code == .tooLarge)
  }

  @Test("ForeignFile distinguishes a child that answers, crashes, hangs or is missing")
  func children() {
    #expect(LimitedProcess.run("/bin/sh", ["-c", "echo hello; exit 3"], seconds: 20) == .exited(3, output: "hello\n"))
    #expect(LimitedProcess.run("/bin/sh", ["-c", "kill -SEGV $$"], seconds: 20) == .killed(signal: SIGSEGV))
    #expect(LimitedProcess.run("/bin/sh", ["-c", "exec sleep 60"], seconds: 0.2) == .timedOut)
    guard case .notStarted = LimitedProcess.run("/no/such/program", [], seconds: 1) else {
      Issue.record("a missing program was started")
      return
    }
  }

  @Test(
    "malformed HDF5 gives a digest or an error, even if it crashes the library", .needs("bad/hdf5"), Reader.needed)
  func malformed() throws {
    let reader = try #require(Reader.executable)
    let folder = try #require(TestData.folder("bad/hdf5"))
    for name in TestData.files(in: folder) {
      let path = "\(folder)/\(name)"
      do {
        _ = try ForeignFile.digest(of: path, executable: reader, limits: .init(memory: 2 << 30, seconds: 5))
      } catch {
        #expect(error.description.hasPrefix(path) && error.isUserData, "\(error)")
      }
    }
  }

  @Test("truncated and changed artifacts give a digest or an error of the child process", Reader.needed)
  func cut() throws {
    let reader = try #require(Reader.executable)
    let whole = try TensorFile(
      tensors: [("a/x", NamedTensor((0..<400).map(Float.init), shape: [20, 20])), ("y", NamedTensor([Int64(5)]))],
      attributes: ["k": [1, 2, 3]]
    ).encoded()
    try withTemporaryFolder { folder in
      let path = folder + "/cut.h5"
      for length in stride(from: 0, to: whole.count, by: 37) {
        try Data(whole[..<length]).write(to: URL(fileURLWithPath: path))
        #expect(throws: TensorFileError.self) { try ForeignFile.digest(of: path, executable: reader) }
        guard length < whole.count else { continue }
        var changed = whole
        changed[length] ^= 0xFF
        try Data(changed).write(to: URL(fileURLWithPath: path))
        _ = try? ForeignFile.digest(of: path, executable: reader)
      }
      try Data(whole).write(to: URL(fileURLWithPath: path))
      #expect(try ForeignFile.digest(of: path, executable: reader) == TensorFile.digest(ofFileAt: path))
    }
  }
}

/// The built executable beside the tests: started with `ForeignFile.command` it reads foreign files.
enum Reader {
  static let executable: String? = {
    for argument in CommandLine.arguments {
      var folder = URL(fileURLWithPath: argument).deletingLastPathComponent()
      while folder.path.count > 1 {
        let candidate = folder.appendingPathComponent("autopanoptic").path
        let probe = LimitedProcess.run(candidate, [ForeignFile.command], seconds: 20)
        if case .exited(64, _) = probe { return candidate }
        folder.deleteLastPathComponent()
      }
    }
    return nil
  }()

  static let needed: ConditionTrait = .enabled(
    if: executable != nil, "no executable 'autopanoptic' that reads foreign files beside the tests")
}
