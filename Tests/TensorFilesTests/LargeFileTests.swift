import Determinism
import Foundation
import Tensors
import Testing

@testable import TensorFiles

@Suite("TensorFile: large tensors")
struct LargeFileTests {
  private static func tensors() -> [(name: String, tensor: NamedTensor)] {
    var state: UInt64 = 1
    func number() -> Float {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Float(Int32(truncatingIfNeeded: state >> 40)) * 1e-6
    }
    // Extents that are multiples of neither chunks nor digest pieces, beside many small tensors.
    let large = (0..<3_000_017).map { _ in number() }
    let odd = (0..<7 * 300_001).map { _ in number() }
    return [("large", NamedTensor(large)), ("odd", NamedTensor(odd, shape: [7, 300_001]))]
      + (0..<300).map { ("small/\($0)", NamedTensor((0...$0).map { _ in number() })) }
  }

  @Test("round-trip on any number of threads; the digest of the file is that of the tensors")
  func roundTrip() throws {
    let file = try TensorFile(tensors: Self.tensors(), attributes: ["steps": 7])
    try withTemporaryFolder { folder in
      let path = folder + "/large.h5"
      var bytes: [UInt8]?
      for threads in [1, 2, 5] {
        try Parallel.withThreads(threads) {
          try file.write(to: path)
          let written = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
          #expect(bytes == nil || bytes == written, "equal bytes on \(threads) threads")
          bytes = written
          #expect(try TensorFile.read(path) == file)
          #expect(try TensorFile.digest(ofFileAt: path) == file.digest)
        }
      }
      #expect(try file.encoded() == bytes)
    }
  }

  @Test("a NamedTensor of a Tensor equals one of the same bytes")
  func shared() throws {
    let tensor = Tensor((0..<5000).map { Float($0) * 0.5 }, shape: [50, 100])
    let (a, b) = (NamedTensor(tensor), NamedTensor((0..<5000).map { Float($0) * 0.5 }, shape: [50, 100]))
    #expect(a == b && a.hashValue == b.hashValue && a.bytes == b.bytes && a.byteCount == 20_000)
    #expect(TensorDigest.of(a) == TensorDigest.of(b))
  }

  @Test("elements fed in batches have the digest of all at once", arguments: [997, 1 << 20, 3_000_000])
  func batches(_ size: Int) {
    let bytes = (0..<5_300_001).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 7) }
    let whole = bytes.withUnsafeBytes { TensorDigest.of(elements: $0) }
    var builder = TensorDigest.Builder()
    bytes.withUnsafeBytes { raw in
      for start in stride(from: 0, to: raw.count, by: size) {
        builder.update(UnsafeRawBufferPointer(rebasing: raw[start..<min(raw.count, start + size)]))
      }
    }
    #expect(builder.finalize() == whole)
  }

  @Test("writing needs little memory beyond the tensor, and a digest needs little at all")
  func memory() async throws {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        let path = folder + "/large.h5"
        let start = try peakMemory()
        let mebibytes = 600
        let tensor = Tensor(shape: [mebibytes << 18]) { Float($0 % 977) }
        try TensorFile(tensors: [("x", NamedTensor(tensor))]).write(to: path)
        let peak = try peakMemory()
        #expect(peak - start - mebibytes < 250, "\(peak) MiB for \(mebibytes)")
      }
    }
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        let path = folder + "/zeros.h5"
        try TensorFile(tensors: [("x", NamedTensor([UInt8](repeating: 1, count: 40 << 20)))]).write(to: path)
        let before = try peakMemory()
        _ = try TensorFile.digest(ofFileAt: path)
        let after = try peakMemory()
        #expect(after - before < 100, "\(after - before) MiB more")
      }
    }
  }

  @Test(
    "FileGuard opens a file in a child first, so that one that crashes libhdf5 is refused", .needs("bad/hdf5"),
    Reader.needed)
  func fileGuard() throws {
    let reader = try #require(Reader.executable)
    let bad = try #require(TestData.folder("bad/hdf5"))
    let guardian = FileGuard(executable: reader, limits: .init(memory: 2 << 30, seconds: 20))
    var deaths = 0
    func admit(_ path: String) throws {
      let descriptor = open(path, O_RDONLY)
      defer { close(descriptor) }
      try guardian.admit(path, descriptor: descriptor)
    }
    try withTemporaryFolder { folder in
      let good = folder + "/good.h5"
      try TensorFile(tensors: Sample.tensors()).write(to: good)
      for name in TestData.files(in: bad) {
        do {
          try admit("\(bad)/\(name)")
        } catch let error as TensorFileError {
          deaths += 1
          #expect(error.code == .readerDied && error.description.hasPrefix("\(bad)/\(name)"))
          try admit(good)
        }
      }
      try admit(good)
    }
    #expect(deaths > 0)
  }
}
