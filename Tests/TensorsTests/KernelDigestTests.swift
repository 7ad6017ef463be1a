import CKernels
import Foundation
import KernelDigests
import Testing

@testable import Tensors

/// Every kernel on fixed shapes and inputs against committed digests: results are the same on every machine and in
/// every version, not only equal among the instruction sets of this machine.
///
/// `Tests/KernelDigests/golden.txt` holds the digests. After an intended change of bits `.ci/digests --write` renews it;
/// the change also needs a new `Traits.numericsVersion`.
@Suite("Kernels have the published digests")
struct KernelDigestTests {
  static let golden: [String: UInt64] = {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let text = try? String(contentsOf: tests.appending(path: "KernelDigests/golden.txt"), encoding: .utf8)
    let lines = (text ?? "").split(separator: "\n").map { $0.split(separator: " ") }
    return Dictionary(uniqueKeysWithValues: lines.map { (String($0[1]), UInt64($0[0], radix: 16) ?? 0) })
  }()

  static let names = (0..<kd_count()).map { String(cString: kd_name($0)) }

  @Test("every case has a digest and every digest a case")
  func list() {
    #expect(Set(Self.names) == Set(Self.golden.keys))
    #expect(Self.names.count > 40)
  }

  @Test("on every instruction set", arguments: Backend.supported)
  func variant(_ set: Backend.InstructionSet) {
    for (index, name) in Self.names.enumerated() {
      #expect(kd_digest(Int32(index), set.isa) == Self.golden[name], "\(name)")
    }
  }

  @Test("without a fused multiply-add in the processor")
  func withoutFusedMultiplyAdd() {
    for (index, name) in Self.names.enumerated() {
      #expect(kd_digest_without_fma(Int32(index)) == Self.golden[name], "\(name)")
    }
  }
}
