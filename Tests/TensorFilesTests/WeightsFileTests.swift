import Determinism
import Foundation
import Testing

@testable import TensorFiles

/// Files in `Tests/Golden/ref_weights`, made by `Tests/Reference/make_weights.py` with PyTorch 2.15 and safetensors 0.8.
@Suite("Weights of other programs")
struct WeightsFileTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Golden/ref_weights").path

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(Self.folder)/\(name)")))
  }

  /// Reads bytes through a file, as everything is read.
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
    "are read as their makers say: every type, views, dictionaries in dictionaries",
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
      // The two short types become binary32.
      let wide = ["float16", "bfloat16"].contains(type) ? "float32" : type
      #expect(tensor.elementType.rawValue == wide, "\(name)")
      #expect(.array(tensor.shape.map { .integer($0) }) == fields["shape"], "\(name)")
      #expect(tensor.bytes.map { String(format: "%02x", $0) }.joined() == hex, "\(name)")
    }
  }

  @Test("what more than a state dictionary holds is refused by name, and nothing is executed")
  func refusals() throws {
    #expect(try message("command.pth").contains("Python's 'posix.system', which this program does not know"))
    #expect(try message("object.pth").contains("torch.nn.modules.linear.Linear"))
    #expect(try message("old.pth").contains("before 1.6"))
    #expect(try message("expanded.pth").contains("expanded"))
    #expect(try message("expected.json").contains("neither a safetensors file"))
    #expect(!FileManager.default.fileExists(atPath: "executed.txt"))
    let missing = #expect(throws: TensorFileError.self) { try WeightsFile.read("/nowhere/weights.pth") }
    #expect(missing?.code == .unreadable)
  }

  @Test(
    "files cut short are refused, every changed byte is noticed or harmless",
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
        // ZIP: checksums guard all that is read. The other format has none, so a value may change unseen.
        if name != "plain.safetensors" { #expect(tensors.map(\.tensor) == sound.map(\.tensor), "\(name) byte \(i)") }
      }
    }
  }

  /// Damage that a checksum would find, put behind it: the pickle itself and the JSON header, several bytes at a time.
  @Test("altered pickles and headers give tensors or an error, never a crash or a flood")
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
          // A run of the pickle once more, which builds deep and wide things.
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

  @Test("containers that a pickle nests a hundred thousand deep are refused or let go without a deep recursion")
  func nesting() throws {
    // EMPTY_DICT, then a hundred thousand times: key, EMPTY_DICT; SETITEM as often.
    var bytes: [UInt8] = [0x80, 2, UInt8(ascii: "}")]
    for _ in 0..<100_000 { bytes += Array("X".utf8) + [1, 0, 0, 0, 97, UInt8(ascii: "}")] }
    bytes += [UInt8](repeating: UInt8(ascii: "s"), count: 100_000) + [UInt8(ascii: ".")]
    let pickle = try Pickle(bytes, place: "deep")
    #expect(pickle.containers.count == 100_001)
  }

  @Test("checksums are those of ZIP")
  func checksums() {
    #expect(CRC32.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(CRC32.checksum([]) == 0)
    #expect(CRC32.checksum([UInt8](repeating: 0xFF, count: 32)) == 0xFF6C_AB0B)
  }

  @Test("maps rename by the first rule that fits")
  func names() throws {
    let map = try NameMap(
      """
      # A comment.
      layer{stage}.{block}.conv1.weight -> body/stage{stage}/{block}/reduce/weight
      layer1.0.conv{n}.{tensor} -> first/{n}/{tensor}   # behind a rule
      **.tracked -> -
      """, place: "test.map")
    let names = try map.names(of: [
      "layer1.0.conv1.weight", "layer1.0.conv2.bias", "a.b.tracked", "layer12.3.conv1.weight",
    ])
    #expect(names == ["body/stage1/0/reduce/weight", "first/2/bias", nil, "body/stage12/3/reduce/weight"])
  }

  @Test(
    "maps that do not fit say where",
    arguments: [
      ("a -> b", ["a", "c.d"], "test.map: error: no rule matches 'c.d'; add one, with '-' as TO to skip a tensor"),
      ("a -> b\nc -> d", ["a"], "test.map:2: error: no tensor matches 'c'; is this the right map?"),
      ("{x} -> b", ["a", "c"], "test.map:1: error: 'a' and 'c' both become 'b'"),
      ("a = b", ["a"], "test.map:1: error: a rule is 'FROM -> TO', with '-' as TO to skip a tensor"),
      ("a.{x} -> {y}", ["a.b"], "test.map:1: error: {y} is not in 'a.{x}'"),
      ("a.{x -> b", ["a.b"], "test.map:1: error: 'a.{x': '{' without a name and '}'"),
      ("# nothing", ["a"], "test.map: error: contains no rule 'FROM -> TO'"),
    ])
  func mistakes(_ text: String, _ tensors: [String], _ message: String) throws {
    let error = #expect(throws: TensorFileError.self) {
      try NameMap(text, place: "test.map").names(of: tensors)
    }
    #expect(error?.description == message)
  }
}
