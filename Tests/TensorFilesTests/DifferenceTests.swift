import Determinism
import Testing

@testable import TensorFiles

@Suite("Difference of two files")
struct DifferenceTests {
  private func file(
    _ tensors: [(String, NamedTensor)], _ attributes: [String: CanonicalValue] = [:]
  ) throws -> TensorFile {
    try TensorFile(tensors: tensors.map { (name: $0.0, tensor: $0.1) }, attributes: attributes)
  }

  @Test("is none for equal content, a NaN included")
  func equal() throws {
    let a = try file([("x", NamedTensor([Float.nan, 1]))], ["k": 1])
    #expect(TensorFile.difference(between: a, and: a) == nil)
  }

  @Test("names the first tensor, index, values, count and distance")
  func elements() throws {
    let a = try file([("a", NamedTensor([Float(1), 2, 3, 4, 5, 6], shape: [2, 3])), ("b", NamedTensor([Int32(1)]))])
    let b = try file([
      ("a", NamedTensor([1, 2, 3, 4, Float(5).nextUp, Float(6).nextUp.nextUp.nextUp], shape: [2, 3])),
      ("b", NamedTensor([Int32(2)])),
    ])
    let found = try #require(TensorFile.difference(between: a, and: b))
    #expect(
      found.description == "tensor 'a' at [1, 1]: 5.0 against 5.0000005; 2 elements differ, by at most 3 ulp")
    let signs = TensorFile.difference(
      between: try file([("z", NamedTensor([0.0]))]), and: try file([("z", NamedTensor([-0.0]))]))
    #expect(signs?.description == "tensor 'z' at [0]: 0.0 against -0.0; 1 element differs, by at most 0 ulp")
    let integers = TensorFile.difference(
      between: try file([("z", NamedTensor([UInt8(3)], shape: []))]),
      and: try file([("z", NamedTensor([UInt8(4)], shape: []))]))
    #expect(integers?.description == "tensor 'z' at []: 3 against 4; 1 element differs")
  }

  @Test("names missing tensors on either side, other types and attributes")
  func kinds() throws {
    let one = NamedTensor([Float(1)])
    let both = try file([("a", one), ("b", one)])
    let first = try file([("a", one)])
    let second = try file([("b", one)])
    #expect(TensorFile.difference(between: first, and: both) == .missing(name: "b", inFirst: true))
    #expect(TensorFile.difference(between: both, and: first) == .missing(name: "b", inFirst: false))
    #expect(TensorFile.difference(between: first, and: second) == .missing(name: "a", inFirst: false))
    #expect(TensorFile.difference(between: second, and: both) == .missing(name: "a", inFirst: true))
    let other = try file([("a", NamedTensor([1.0]))])
    #expect(
      TensorFile.difference(between: first, and: other)?.description == "tensor 'a': float32 [1] against float64 [1]")
    let noted = try file([("a", one)], ["k": 1])
    #expect(TensorFile.difference(between: first, and: noted) == .attribute(name: "k", first: nil, second: 1))
  }
}
