import Determinism
import Foundation
import Tensors
import Testing

@testable import TensorFiles

@Suite("TensorFile")
struct TensorFileTests {
  @Test("round-trips every element type, chunk borders, scalars, empty tensors, special numbers and attributes")
  func roundTrip() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/all.h5"
      let file = try TensorFile(tensors: Sample.tensors(), attributes: Sample.attributes)
      try file.write(to: path)
      let back = try TensorFile.read(path)
      #expect(back.names == file.names)
      for entry in file.entries { #expect(back[entry.name] == entry.tensor, "\(entry.name)") }
      #expect(back.attributes == file.attributes)
      #expect(back.objectAttributes.isEmpty)
      #expect(back.digest == file.digest)
      #expect(try TensorFile(bytes: file.encoded(), place: "memory") == file)
    }
  }

  @Test("has equal bytes for equal content, whatever the order of tensors and the number of threads")
  func equalBytes() throws {
    let one = try TensorFile(tensors: Sample.tensors(), attributes: Sample.attributes).encoded()
    let two = try Parallel.withThreads(1) {
      try TensorFile(tensors: Sample.tensors().reversed(), attributes: Sample.attributes).encoded()
    }
    #expect(one == two)
  }

  @Test("compresses zeros and stores noise with little overhead")
  func sizes() throws {
    let zeros = NamedTensor([Float](repeating: 0, count: 1 << 20))
    #expect(try TensorFile(tensors: [("zeros", zeros)]).encoded().count < 40_000)
    let noise = NamedTensor(Sample.tensors().first { $0.name == "noise" }!.tensor.bytes)
    #expect(try TensorFile(tensors: [("noise", noise)]).encoded().count < noise.bytes.count + 4096)
  }

  @Test(
    "refuses names that a file cannot hold",
    arguments: [
      ["a", "a"], [""], ["a//b"], ["/a"], ["a/"], ["."], ["a/../b"], ["a\0b"], ["a", "a/b"], ["a/b/c", "a/b"],
    ])
  func names(_ names: [String]) throws {
    let error = #expect(throws: TensorFileError.self) {
      try TensorFile(tensors: names.map { ($0, NamedTensor([Float(1)])) })
    }
    #expect(error?.code == .badName)
  }

  @Test("finds tensors by name and sorts names by their bytes")
  func lookUp() throws {
    let names = ["b", "B", "ä", "a/b", "a-b", "z", "Z/1", "名"]
    let file = try TensorFile(tensors: names.map { ($0, NamedTensor([$0.utf8.first!])) })
    #expect(file.names == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    for name in names { #expect(file[name]?.bytes == [name.utf8.first!]) }
    #expect(file["A"] == nil && file["zz"] == nil && file[""] == nil)
  }

  @Test("holds large attributes")
  func largeAttributes() throws {
    let long = String(repeating: "0123456789", count: 20_000)
    let many = Dictionary(uniqueKeysWithValues: (0..<40).map { ("k\($0)", CanonicalValue.integer($0)) })
    var attributes = many
    attributes["long"] = .string(long)
    attributes["object"] = ["text": .string(long)]
    let file = try TensorFile(tensors: [], attributes: attributes)
    #expect(try TensorFile(bytes: file.encoded(), place: "memory").attributes == attributes)
    #expect(try file.encoded() == file.encoded())
  }

  @Test("NamedTensor converts to and from Tensor")
  func conversion() throws {
    let tensor = Tensor((0..<24).map { Float($0) / 7 }, shape: [2, 3, 4])
    let stored = NamedTensor(tensor)
    #expect(stored.shape == [2, 3, 4] && stored.elementType == .float32)
    #expect(Tensor(stored)!.isIdentical(to: tensor))
    #expect(Tensor(NamedTensor([Int64(3), -4]))!.array == [3, -4])
    #expect(Tensor(NamedTensor([Float](), shape: [0, 1, 1, 1, 1, 1])) == nil)
  }

  @Test(
    "splits a tensor into chunks of contiguous elements",
    arguments: [
      ([5], 4), ([1 << 20], 4), ([3, 300_007], 4), ([2, 3, 700, 999], 8), ([1, 1, 1, 4_000_001], 1),
      ([7, 1, 262_145], 4),
    ])
  func layout(_ shape: [Int], _ size: Int) {
    let layout = ChunkLayout(shape: shape, elementSize: size)
    #expect(layout.chunkElements * size <= ChunkLayout.maximalBytes)
    #expect(layout.chunk.reduce(1, *) == layout.chunkElements)
    var next = 0
    for i in 0..<layout.count {
      let range = layout.elements(of: i)
      #expect(range.lowerBound == next)
      next = range.upperBound
      let offset = layout.offset(of: i)
      let flat = zip(offset, shape).reduce(0) { $0 * $1.1 + Int($1.0) }
      #expect(flat == range.lowerBound)
    }
    #expect(next == shape.reduce(1, *))
    #expect(ChunkLayout(shape: shape, chunk: layout.chunk)?.count == layout.count)
  }

  @Test("reports a missing, empty or foreign file by name")
  func errors() throws {
    try withTemporaryFolder { folder in
      let missing = #expect(throws: TensorFileError.self) { try TensorFile.read(folder + "/none.h5") }
      #expect(missing?.description.contains(folder + "/none.h5") == true)
      let fake = folder + "/fake.h5"
      try Data("not HDF5 at all".utf8).write(to: URL(fileURLWithPath: fake))
      #expect(throws: TensorFileError.self) { try TensorFile.read(fake) }
      #expect(throws: TensorFileError.self) {
        try TensorFile.write(folder + "/no/such/folder.h5", tensors: [], attributes: [:])
      }
    }
  }
}
