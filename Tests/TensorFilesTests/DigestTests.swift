import Determinism
import Foundation
import Testing

@testable import TensorFiles

@Suite("TensorDigest")
struct DigestTests {
  /// Expected values: hashlib over the manifests, and Tests/Reference/digest.py (h5py 3.16) over the files.
  @Test("has the published value for small contents")
  func golden() throws {
    // No tensors, no attributes: SHA-256 of {"attributes":{},"format":1,"tensors":[]}.
    #expect(TensorDigest.of(tensors: []) == Digest(of: #"{"attributes":{},"format":1,"tensors":[]}"#))
    let element = Digest(of: Digest(of: [0, 0, 128, 63, 0, 0, 0, 192]).bytes)
    let manifest =
      #"{"attributes":{"":{"k":1}},"format":1,"tensors":[{"digest":"\#(element.hex)","name":"x","shape":[2],"#
      + #""type":"float32"}]}"#
    let tensors = [("x", NamedTensor([Float(1), -2]))]
    #expect(TensorDigest.of(tensors: tensors, attributes: ["k": 1]) == Digest(of: manifest))
    #expect(TensorDigest.of(tensors: tensors, attributes: ["k": 1]).hex == goldenSmall)
    #expect(TensorDigest.of(tensors: Sample.tensors(), attributes: Sample.attributes).hex == goldenSample)
  }

  private let goldenSmall = "e2f63935b452233a0381800568dab7adf6b439be580ce6457f6f42daa200842b"
  private let goldenSample = "00b46fb5858b85c026ee2efd8c2f3db3119e072ce16dbf18211576e924f90d84"

  @Test("the digest of a file equals that of its tensors in memory, in any order")
  func memory() throws {
    let file = try TensorFile(
      bytes: TensorFile(tensors: Sample.tensors(), attributes: Sample.attributes).encoded(), place: "memory")
    #expect(file.digest == TensorDigest.of(tensors: Sample.tensors().shuffled(), attributes: Sample.attributes))
  }

  @Test("depends on every element, name, shape, type and attribute")
  func sensitivity() {
    let base = [("x", NamedTensor([Int32(1), 2, 3, 4]))]
    let digests = [
      TensorDigest.of(tensors: base),
      TensorDigest.of(tensors: [("x", NamedTensor([Int32(1), 2, 3, 5]))]),
      TensorDigest.of(tensors: [("y", base[0].1)]),
      TensorDigest.of(tensors: [("x", NamedTensor([Int32(1), 2, 3, 4], shape: [2, 2]))]),
      TensorDigest.of(tensors: [("x", NamedTensor(elementType: .uint32, shape: [4], bytes: base[0].1.bytes))]),
      TensorDigest.of(tensors: base, attributes: ["a": 1]),
      TensorDigest.of(tensors: base, attributes: ["a": 1.5]),
      TensorDigest.of(tensors: base, attributes: ["a": "1"]),
      TensorDigest.of(tensors: [("z", NamedTensor([Float(0)]))]),
      TensorDigest.of(tensors: [("z", NamedTensor([Float(-0.0)]))]),
    ]
    #expect(Set(digests).count == digests.count)
  }

  @Test(
    "hashes pieces of 1 MiB with the same result on any number of threads",
    arguments: [0, 1, 1 << 20, (1 << 20) + 1, 5 << 19])
  func pieces(_ count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }
    var whole = DigestBuilder()
    for start in stride(from: 0, to: count, by: 1 << 20) {
      whole.update(Digest(of: Array(bytes[start..<min(count, start + 1 << 20)])))
    }
    let expected = whole.finalize()
    #expect(TensorDigest.of(NamedTensor(bytes)) == expected)
    #expect(Parallel.withThreads(1) { TensorDigest.of(NamedTensor(bytes)) } == expected)
  }

  private static let python = ProcessInfo.processInfo.environment["AUTOPANOPTIC_PYTHON"] ?? "/usr/bin/python3"

  @Test(
    "agrees with an independent Python script that decodes the LZ4 chunks itself", .needs("ref_ops"),
    .enabled(
      if: LimitedProcess.run(python, ["-c", "import h5py, numpy"], seconds: 60) == .exited(0, output: ""),
      "\(python) has no h5py and numpy; install python3-h5py or set AUTOPANOPTIC_PYTHON"))
  func independent() throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Reference/digest.py").path
    let python = Self.python
    try withTemporaryFolder { folder in
      let path = folder + "/all.h5"
      let file = try TensorFile(tensors: Sample.tensors(), attributes: Sample.attributes)
      try file.write(to: path)
      let result = LimitedProcess.run(python, [script, path], seconds: 300)
      #expect(result == .exited(0, output: file.digest.hex + "\n"))
      let manifest = LimitedProcess.run(python, [script, "--manifest", path], seconds: 300)
      #expect(manifest == .exited(0, output: file.manifest.canonicalText + "\n"))
    }
    let folder = try #require(TestData.folder("ref_ops"))
    let foreign = folder + "/conv2d.h5"
    #expect(
      LimitedProcess.run(python, [script, foreign], seconds: 300)
        == .exited(0, output: try TensorFile.digest(ofFileAt: foreign).hex + "\n"))
  }
}
