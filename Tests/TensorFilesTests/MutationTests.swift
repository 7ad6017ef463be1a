import Determinism
import Foundation
import Testing

@testable import TensorFiles

/// Sound files with bytes changed, removed, repeated and inserted. `AUTOPANOPTIC_MUTATIONS` sets their number; `make
/// fuzz` goes further.
@Suite("Mutated weights and artifacts")
struct MutationTests {
  private static let count =
    ProcessInfo.processInfo.environment["AUTOPANOPTIC_MUTATIONS"].flatMap { Int($0) } ?? 4000

  /// Numbers at limits of integer types and of formats.
  private static let edges: [[UInt8]] = [
    [0], [0xFF], [0x7F], [0x80], [0xFF, 0xFF], [0, 0, 0, 0x80], [0xFF, 0xFF, 0xFF, 0x7F], [0xFF, 0xFF, 0xFF, 0xFF],
    [0, 0, 0, 0, 0, 0, 0, 0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
    Array("9223372036854775807".utf8), Array("18446744073709551616".utf8), Array("1e999".utf8), Array("-1".utf8),
    Array("é".utf8), Array("e\u{301}".utf8), [0xC3], [0],
  ]

  static func mutated(_ bytes: [UInt8], with random: inout RandomStream) -> [UInt8] {
    var bytes = bytes
    for _ in 0...Int(random.uniform() * 4) where !bytes.isEmpty {
      let i = Int(random.uniform() * Double(bytes.count))
      let end = min(bytes.count, i + 1 + Int(random.uniform() * 32))
      switch Int(random.uniform() * 7) {
      case 0: bytes[i] ^= 1 << UInt8(random.uniform() * 8)
      case 1: bytes[i] = UInt8(random.uniform() * 256)
      case 2: bytes.removeSubrange(i..<end)
      case 3: bytes.insert(contentsOf: bytes[i..<end], at: i)
      case 4: bytes.removeLast(bytes.count - i)
      default:
        let edge = edges[Int(random.uniform() * Double(edges.count))]
        bytes.replaceSubrange(i..<min(bytes.count, i + edge.count), with: edge)
      }
    }
    return bytes
  }

  @Test(
    "mutated weights of other programs give tensors or an error, and take little memory",
    arguments: ["nested.pt", "plain.safetensors", "module.pth"])
  func weights(_ name: String) throws {
    let sound = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(WeightsFileTests.folder)/\(name)")))
    var random = Seeds(kind: "mutations", seed: 1).stream(name)
    var read = 0
    try withTemporaryFolder { folder in
      let path = "\(folder)/weights"
      for _ in 0..<Self.count {
        var bytes = Self.mutated(sound, with: &random)
        if name.hasSuffix(".safetensors"), random.uniform() < 0.7, bytes.count > 8 {
          // The length of the header is corrected, so that the reader gets past it.
          bytes.replaceSubrange(0..<8, with: sound[0..<8])
        }
        try FileIO.write(bytes, to: path)
        do throws(TensorFileError) {
          let tensors = try WeightsFile.read(path)
          read += 1
          // Tensors that were read can be written, or are refused with a message.
          _ = try? TensorFile(tensors: tensors.map { ($0.name, $0.tensor) })
        } catch {
          if !error.isUserData { Issue.record("\(error)") }
        }
      }
    }
    #expect(read > 0)
    #expect(try peakMemory() < 2048)
  }

  @Test("mutated pickles, with correct checksums, give a description or an error")
  func pickles() throws {
    let archive = try ZipArchive(ByteSource(path: WeightsFileTests.folder + "/nested.pt"))
    let entry = try #require(archive.entries.first { $0.name.hasSuffix("data.pkl") })
    let sound = try archive.content(entry)
    var random = Seeds(kind: "mutations", seed: 2).stream("pickle")
    for _ in 0..<5 * Self.count {
      let bytes = Self.mutated(sound, with: &random)
      guard let pickle = try? Pickle(bytes, place: "pickle") else { continue }
      for tensor in pickle.tensors { #expect(tensor.shape.count == tensor.strides.count) }
    }
  }

  @Test("views with any strides stay inside their storage")
  func views() throws {
    // The stride of an axis with one element has no meaning.
    let reference = { (offset: Int, shape: [Int], strides: [Int]) in
      Pickle.TensorReference(
        storage: .init(key: "0", type: .same(.uint8), count: 12), offset: offset, shape: shape, strides: strides)
    }
    let storage = (0..<12).map { UInt8($0) }
    func values(_ tensor: Pickle.TensorReference) throws -> [UInt8] {
      let count = try TorchFile.elementCount(tensor, place: "view")
      return TorchFile.gather(tensor, count: count, storage)
    }
    #expect(try values(reference(1, [2, 1, 3], [6, .max, 2])) == [1, 3, 5, 7, 9, 11])
    #expect(try values(reference(0, [3, 4], [1, 3])) == [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11])
    var random = Seeds(kind: "mutations", seed: 3).stream("views")
    let numbers = [0, 1, 2, 3, 4, 6, 12, 1 << 31, 1 << 62, Int.max - 1, .max]
    func any() -> Int { numbers[Int(random.uniform() * Double(numbers.count))] }
    for _ in 0..<5 * Self.count {
      let rank = Int(random.uniform() * 5)
      let tensor = reference(any(), (0..<rank).map { _ in any() }, (0..<rank).map { _ in any() })
      guard let found = try? values(tensor) else { continue }
      #expect(found.count == tensor.shape.reduce(1, *))
    }
  }

  @Test("mutated artifacts give a digest or an error of the child process, and never crash the parent", Reader.needed)
  func artifacts() throws {
    let reader = try #require(Reader.executable)
    let whole = try TensorFile(
      tensors: [
        ("a/x", NamedTensor((0..<400).map(Float.init), shape: [20, 20])), ("y", NamedTensor([Int64(5)])),
        ("b", NamedTensor(elementType: .bool, shape: [3], bytes: [0, 1, 1])),
      ],
      attributes: ["k": [1, 2, 3], "text": "long enough", "o": ["p": .null]]
    ).encoded()
    let guardian = FileGuard(executable: reader, limits: .init(memory: 2 << 30, seconds: 600))
    var random = Seeds(kind: "mutations", seed: 4).stream("artifacts")
    var outcomes = (admitted: 0, died: 0)
    try withTemporaryFolder { folder in
      let path = folder + "/mutated.h5"
      for _ in 0..<Self.count / 8 {
        unlink(path)
        try FileIO.write(Self.mutated(whole, with: &random), to: path)
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        do throws(TensorFileError) {
          try guardian.admit(path, descriptor: descriptor)
          outcomes.admitted += 1
          let found = try TensorFile.read(path)
          #expect(try TensorFile.digest(ofFileAt: path) == found.digest)
        } catch {
          if error.code == .readerDied { outcomes.died += 1 }
          #expect(error.isUserData, "\(error)")
        }
      }
    }
    #expect(outcomes.admitted > 0)
  }
}
