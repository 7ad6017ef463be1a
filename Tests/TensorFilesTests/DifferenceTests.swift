import Determinism
import Testing

@testable import TensorFiles

@Suite("TensorFile.differences")
struct DifferenceTests {
  private func file(
    _ tensors: [(String, NamedTensor)], _ attributes: [String: CanonicalValue] = [:]
  ) throws -> TensorFile {
    try TensorFile(tensors: tensors.map { (name: $0.0, tensor: $0.1) }, attributes: attributes)
  }

  @Test("is empty for equal content, NaN included")
  func equal() throws {
    let a = try file([("x", NamedTensor([Float.nan, 1]))], ["k": 1])
    #expect(TensorFile.differences(between: a, and: a).first == nil)
  }

  @Test("gives the first differing tensor with index, values, number of differences and largest distance")
  func elements() throws {
    let a = try file([("a", NamedTensor([Float(1), 2, 3, 4, 5, 6], shape: [2, 3])), ("b", NamedTensor([Int32(1)]))])
    let b = try file([
      ("a", NamedTensor([1, 2, 3, 4, Float(5).nextUp, Float(6).nextUp.nextUp.nextUp], shape: [2, 3])),
      ("b", NamedTensor([Int32(2)])),
    ])
    let found = try #require(TensorFile.differences(between: a, and: b).first)
    #expect(
      found.description == "tensor 'a' at [1, 1]: 5.0 against 5.0000005; 2 elements differ, by at most 3 ulp")
    let signs = TensorFile.differences(
      between: try file([("z", NamedTensor([0.0]))]), and: try file([("z", NamedTensor([-0.0]))]))
    #expect(signs.first?.description == "tensor 'z' at [0]: 0.0 against -0.0; 1 element differs, by at most 0 ulp")
    let integers = TensorFile.differences(
      between: try file([("z", NamedTensor([UInt8(3)], shape: []))]),
      and: try file([("z", NamedTensor([UInt8(4)], shape: []))]))
    #expect(integers.first?.description == "tensor 'z' at []: 3 against 4; 1 element differs")
  }

  @Test("lists missing tensors on either side, other element types and attributes")
  func kinds() throws {
    let one = NamedTensor([Float(1)])
    let both = try file([("a", one), ("b", one)])
    let first = try file([("a", one)])
    let second = try file([("b", one)])
    #expect(TensorFile.differences(between: first, and: both).first == .missing(name: "b", inFirst: true))
    #expect(TensorFile.differences(between: both, and: first).first == .missing(name: "b", inFirst: false))
    #expect(TensorFile.differences(between: first, and: second).first == .missing(name: "a", inFirst: false))
    #expect(TensorFile.differences(between: second, and: both).first == .missing(name: "a", inFirst: true))
    let other = try file([("a", NamedTensor([1.0]))])
    #expect(
      TensorFile.differences(between: first, and: other).first?.description
        == "tensor 'a': float32 [1] against float64 [1]")
    let noted = try file([("a", one)], ["k": 1])
    #expect(TensorFile.differences(between: first, and: noted).first == .attribute(name: "k", first: nil, second: 1))
  }

  @Test("lists every differing tensor up to the limit")
  func all() throws {
    let a = try file([
      ("a", NamedTensor([Float(1), 2, 3])), ("b", NamedTensor([1.0, 2])), ("c", NamedTensor([Int8(-128), 0])),
      ("d", NamedTensor([Float(1)])), ("e", NamedTensor([Float.nan, 5])),
    ])
    let b = try file([
      ("a", NamedTensor([Float(1.5), 2, -3])), ("b", NamedTensor([1.0, 2])), ("c", NamedTensor([Int8(127), 0])),
      ("e", NamedTensor([Float(1), 5.5])), ("f", NamedTensor([Float(1)])),
    ])
    let all = TensorFile.differences(between: a, and: b)
    let elements = all.compactMap { if case .elements(let d) = $0 { d } else { nil } }
    #expect(elements.map(\.name) == ["a", "c", "e"])
    #expect(elements.map(\.count) == [2, 1, 2] && elements.map(\.total) == [3, 2, 2])
    #expect(elements.map(\.largest) == [6, 255, nil])
    #expect(elements.map(\.index) == [[0], [0], [0]])
    // The distance from 3 over 0 to -3 is twice the bit pattern of 3.
    #expect(elements.map(\.maximalUlps) == [2 * UInt64(Float(3).bitPattern), nil, nil])
    #expect(all.count == 5 && all[2] == .missing(name: "d", inFirst: false))
    #expect(all[4] == .missing(name: "f", inFirst: true))
    #expect(TensorFile.differences(between: a, and: b, limit: 2) == Array(all.prefix(2)))
  }
}
