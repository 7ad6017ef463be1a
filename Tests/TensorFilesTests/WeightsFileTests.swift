import Determinism
import Foundation
import Testing

@testable import TensorFiles

/// `Tests/Reference/make_weights.py` made the files in `Tests/Golden/ref_weights` with PyTorch 2.15 and safetensors 0.8.
@Suite("WeightsFile")
struct WeightsFileTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Golden/ref_weights").path

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/\(name)")))
  }

  /// Writes bytes to a file and reads it.
  private func read(
    _ bytes: [UInt8], in folder: String
  ) throws(TensorFileError) -> [(name: String, tensor: NamedTensor)] {
    let path = folder + "/weights"
    _ = FileManager.default.createFile(atPath: path, contents: Data(bytes))
    return try WeightsFile.read(path)
  }

  private func message(_ name: String) throws -> String {
    let error = try #require(throws: TensorFileError.self) { try WeightsFile.read("\(Self.folder)/\(name)") }
    #expect(error.isUserData && error.place.contains(name))
    return error.message
  }

  @Test(
    "reads the values that PyTorch and safetensors wrote: every type, views, nested dictionaries",
    arguments: ["nested.pt", "plain.safetensors", "module.pth"])
  func values(_ name: String) throws {
    let golden = try CanonicalValue(json: bytes("expected.json"))
    guard case .object(let files) = golden, case .object(let expected) = files[name] else {
      Issue.record("expected.json has no '\(name)'")
      return
    }
    let tensors = try WeightsFile.read("\(Self.folder)/\(name)")
    #expect(tensors.map(\.name).sorted() == expected.keys.sorted())
    for (name, tensor) in tensors {
      guard case .object(let fields) = expected[name], case .string(let type) = fields["type"],
        case .string(let hex) = fields["bytes"]
      else { continue }
      // The two 16-bit types become binary32.
      let wide = ["float16", "bfloat16"].contains(type) ? "float32" : type
      #expect(tensor.elementType.rawValue == wide, "\(name)")
      #expect(.array(tensor.shape.map { .integer($0) }) == fields["shape"], "\(name)")
      #expect(tensor.bytes.map { String(format: "%02x", $0) }.joined() == hex, "\(name)")
    }
  }

  @Test("a pickle with more than a state dictionary is refused by name, and nothing in it is executed")
  func refusals() throws {
    #expect(try message("command.pth").contains("Python's 'posix.system', which this reader does not support"))
    #expect(try message("object.pth").contains("torch.nn.modules.linear.Linear"))
    #expect(try message("old.pth").contains("before 1.6"))
    #expect(try message("expanded.pth").contains("expanded"))
    #expect(try message("expected.json").contains("neither a safetensors file"))
    #expect(!FileManager.default.fileExists(atPath: "executed.txt"))
    let missing = #expect(throws: TensorFileError.self) { try WeightsFile.read("/nowhere/weights.pth") }
    #expect(missing?.code == .unreadable)
  }

  @Test(
    "truncated files are refused, and a changed byte is noticed or harmless",
    arguments: ["nested.pt", "plain.safetensors", "module.pth"])
  func damage(_ name: String) throws {
    let whole = try bytes(name)
    let sound = try WeightsFile.read("\(Self.folder)/\(name)")
    try withTemporaryFolder { folder in
      for length in stride(from: 0, to: whole.count, by: 61) {
        #expect(throws: TensorFileError.self, "\(length)") { try read(Array(whole[..<length]), in: folder) }
      }
      for i in stride(from: 0, to: whole.count, by: 7) {
        var changed = whole
        changed[i] ^= 1 << UInt8(i % 8)
        guard let tensors = try? read(changed, in: folder) else { continue }
        // In ZIP files checksums protect all that is read. The other format has none, so a value may change unnoticed.
        if name != "plain.safetensors" { #expect(tensors.map(\.tensor) == sound.map(\.tensor), "\(name) byte \(i)") }
      }
    }
  }

  /// Several changed bytes of a pickle or a JSON header, with correct checksums.
  @Test("altered pickles and headers give tensors or an error, and never exhaust memory")
  func alterations() throws {
    var random = Seeds(kind: "weights-fuzz", seed: 1).stream("alterations")
    let archive = try ZipArchive(ByteSource(path: Self.folder + "/nested.pt"))
    let entry = try #require(archive.entries.first { $0.name.hasSuffix("data.pkl") })
    let pickle = try archive.content(entry)
    var sound = 0
    for _ in 0..<1500 {
      var changed = pickle
      for _ in 0...Int(random.uniform() * 4) {
        let i = Int(random.uniform() * Double(changed.count))
        switch Int(random.uniform() * 4) {
        case 0: changed[i] = UInt8(random.uniform() * 256)
        case 1: changed.remove(at: i)
        case 2: changed.insert(changed[Int(random.uniform() * Double(changed.count))], at: i)
        default:
          // A repeated part of the pickle builds deep and wide objects.
          let end = min(changed.count, i + Int(random.uniform() * 64))
          changed.insert(contentsOf: changed[i..<end], at: i)
        }
      }
      if let result = try? Pickle(changed, place: "pickle") {
        sound += 1
        #expect(result.containers.count <= changed.count)
      }
    }
    #expect(sound > 0)

    let plain = try bytes("plain.safetensors")
    let letters = Array("0123456789[]{},:\"-eF".utf8)
    try withTemporaryFolder { folder in
      for _ in 0..<400 {
        var changed = plain
        for _ in 0...Int(random.uniform() * 3) {
          changed[Int(random.uniform() * 700)] = letters[Int(random.uniform() * Double(letters.count))]
        }
        _ = try? read(changed, in: folder)
      }
    }
  }

  @Test("containers nested a hundred thousand deep are refused or freed without deep recursion")
  func nesting() throws {
    // EMPTY_DICT, then a hundred thousand times: key, EMPTY_DICT; SETITEM as often.
    var bytes: [UInt8] = [0x80, 2, UInt8(ascii: "}")]
    for _ in 0..<100_000 { bytes += Array("X".utf8) + [1, 0, 0, 0, 97, UInt8(ascii: "}")] }
    bytes += [UInt8](repeating: UInt8(ascii: "s"), count: 100_000) + [UInt8(ascii: ".")]
    let pickle = try Pickle(bytes, place: "deep")
    #expect(pickle.containers.count == 100_001)
  }

  @Test("CRC-32 agrees with ZIP")
  func checksums() {
    #expect(CRC32.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(CRC32.checksum([]) == 0)
    #expect(CRC32.checksum([UInt8](repeating: 0xFF, count: 32)) == 0xFF6C_AB0B)
  }
}
