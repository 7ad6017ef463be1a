import Determinism
import Foundation
import Testing

@testable import TensorFiles

@Suite("GoldenFile")
struct GoldenFileTests {
  @Test("reads reference vectors: shuffle and gzip, strings, integers, lists, nested groups", .needs("ref_ops"))
  func reads() throws {
    let folder = try #require(TestData.folder("ref_ops"))
    let names = TestData.files(in: folder, suffix: ".h5")
    #expect(!names.isEmpty)
    for name in names {
      let file = try GoldenFile("\(folder)/\(name)")
      #expect(!file.cases.isEmpty, "\(name)")
    }
    let case1 = try #require(try GoldenFile("\(folder)/conv2d.h5")["k3_s2_p1"])
    #expect(case1.attributes["stride"] == 2 && case1.attributes["layout"] == "NCHW / OIHW")
    #expect(try case1.tensor("in_x").elementType == .float32)
    #expect(try case1.tensor("out").elementType == .float64)
    #expect(throws: TensorFileError.self) { try case1.tensor("none") }
    let block = try #require(try GoldenFile("\(folder)/blocks.h5")["shufflenetv2_s1_eval"])
    #expect(block.tensors.keys.contains { $0.hasPrefix("state/") })
    let anchors = try #require(try GoldenFile("\(folder)/anchors_levels.h5")["legacy_cell_anchors_s16"])
    #expect(anchors.attributes["aspect_ratios"] == [0.5, 1.0, 2.0])
  }
}
