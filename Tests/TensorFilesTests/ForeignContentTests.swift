import Determinism
import Foundation
import Testing

@testable import TensorFiles

/// Files that h5py writes, whose content a reader can distinguish.
@Suite("Digests of HDF5 files of other programs")
struct ForeignContentTests {
  static let python = ProcessInfo.processInfo.environment["AUTOPANOPTIC_PYTHON"] ?? "/usr/bin/python3"

  static let needed: ConditionTrait = .enabled(
    if: LimitedProcess.run(python, ["-c", "import h5py, numpy"], seconds: 60) == .exited(0, output: ""),
    "\(python) has no h5py and numpy; install python3-h5py or set AUTOPANOPTIC_PYTHON")

  /// Makes one file for each line of Python, which changes the open file `h` with a data set `x`.
  private static func make(_ contents: [String], in folder: String) throws -> [String] {
    let script = """
      import h5py, numpy as np, sys
      from h5py import h5a, h5d, h5o, h5p, h5s, h5t
      def attribute(h, name, kind, value):
          a = h5a.create(h.id, name, kind, h5s.create(h5s.SCALAR))
          if value is not None: a.write(value, kind)
      def text(pad, value, size):
          t = h5t.C_S1.copy(); t.set_size(size); t.set_strpad(pad)
          return t, np.array(value, dtype=f"S{size}")
      def dataset(h, kind, value, plist=None):
          d = h5d.create(h.id, b"y", kind, h5s.create_simple((4,)), plist)
          if value is not None: d.write(h5s.ALL, h5s.ALL, np.array(value))
      def floats(change):
          t = h5t.IEEE_F32LE.copy(); change(t); return t
      def integers(bits):
          t = h5t.STD_I16LE.copy(); t.set_precision(bits); return t
      def truth(h, values):
          t = h5t.enum_create(h5t.STD_I8LE); t.enum_insert(b"FALSE", 0); t.enum_insert(b"TRUE", 1)
          h5d.create(h.id, b"y", t, h5s.create_simple((4,))).write(h5s.ALL, h5s.ALL, np.array(values, "i1"), t)
      def unwritten(h, value, never=False):
          p = h5p.create(h5p.DATASET_CREATE)
          if value is not None: p.set_fill_value(np.array(value, "f4"))
          if never: p.set_fill_time(h5d.FILL_TIME_NEVER)
          dataset(h, h5t.IEEE_F32LE, None, p)
      def inner(h):
          for i in range(70): h = h.create_group("d")
      for i, line in enumerate(open(sys.argv[2]).read().splitlines()):
          block = {"userblock_size": 512} if "userblock" in line else {}
          with h5py.File(f"{sys.argv[1]}/{i}.h5", "w", **block) as h:
              h["x"] = np.arange(4, dtype="f4")
              exec(line)
      """
    try Data(script.utf8).write(to: URL(fileURLWithPath: folder + "/make.py"))
    try Data(contents.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: folder + "/contents"))
    let result = LimitedProcess.run(python, [folder + "/make.py", folder, folder + "/contents"], seconds: 300)
    #expect(result == .exited(0, output: ""))
    return contents.indices.map { "\(folder)/\($0).h5" }
  }

  @Test("distinguishable contents have different digests, and differences lists why", needed)
  func distinct() throws {
    let contents = [
      "pass", "h.attrs['\\u00e9'] = 1", "h.attrs['e\\u0301'] = 1", "h['\\u00e9'] = 1.0", "h['e\\u0301'] = 1.0",
      "h.attrs['l@json'] = '[\"a\",\"b\"]'", "h.attrs['l@json'] = '[\"a\", \"b\"]'",
      "h.attrs.create('l', ['a', 'b'], dtype=h5py.string_dtype())", "h.attrs['l@json'] = '7'", "h.attrs['l'] = 7",
      "h.attrs['l'] = '7'", "h.attrs['l'] = [7]", "h.attrs.create('l', 7, dtype='i4')",
      "h.attrs.create('l', 7, dtype='u8')", "h.attrs.create('l', 7, dtype='f4')", "h.attrs['l'] = [[7]]",
      "h.attrs['l'] = True", "h.attrs['l'] = float('nan')", "h.attrs['l'] = 'NaN'", "h.attrs['l'] = float('inf')",
      "h.attrs['l'] = np.array([0x7ff8000000000001], 'u8').view('f8')[0]", "h.attrs['l'] = h5py.Empty('f4')",
      "h.attrs['l'] = h5py.Empty('f8')", "h.attrs['l'] = np.zeros(0, 'f4')", "h.attrs['l'] = np.zeros((0, 3), 'f4')",
      "h.attrs['l'] = np.zeros((3, 0), 'f4')", "h.attrs['l'] = ''", "h.attrs['l'] = ' '", "h['x'].attrs['l'] = 7",
      "h.create_group('g')", "h.create_group('k')", "h.create_group('g').attrs['l'] = 7",
      "h['l'] = h5py.SoftLink('/x')",
      "h['l'] = h5py.SoftLink('/y')", "h['l'] = np.arange(4, dtype='f4')", "unwritten(h, 1)", "unwritten(h, 2)",
      "truth(h, [0, 1, 1, 0])", "h['y'] = np.array([0, 1, 1, 0], 'i1')", "h['y'] = np.zeros(0, 'f4')",
      "h['y'] = np.zeros((0, 3), 'f4')", "h['y'] = np.float32(0)", "h['y'] = np.zeros(1, 'f4')",
    ]
    try withTemporaryFolder { folder in
      let paths = try Self.make(contents, in: folder)
      var seen = [Digest: String]()
      for (path, content) in zip(paths, contents) {
        let digest = try TensorFile.digest(ofFileAt: path)
        if let other = seen.updateValue(content, forKey: digest) {
          Issue.record("\(other) and \(content) have one digest")
        }
        // Read into memory, the file is equal to itself and differs from every other one.
        let file = try TensorFile.read(path)
        #expect(file.digest == digest, "\(content)")
        let found = try TensorFile.differences(ofFileAt: path, and: paths[0])
        #expect(found.isEmpty == (path == paths[0]), "\(content)")
        #expect(found == TensorFile.differences(between: file, and: try TensorFile.read(paths[0])), "\(content)")
      }
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Reference/digest.py").path
      let theirs = LimitedProcess.run(Self.python, [script] + paths, seconds: 300)
      let ours = try paths.map { try TensorFile.digest(ofFileAt: $0).hex + "\n" }.joined()
      #expect(theirs == .exited(0, output: ours))
    }
  }

  @Test("equal content stored in another way has the same digest", needed)
  func equal() throws {
    let groups = [
      ["h['y'] = np.arange(4, dtype='<f4')", "h['y'] = np.arange(4, dtype='>f4')", "h['y'] = h['x']"],
      ["h.attrs['l'] = 'text'", "attribute(h, b'l', *text(h5t.STR_NULLTERM, b'text', 9))"]
        + ["attribute(h, b'l', *text(h5t.STR_SPACEPAD, b'text    ', 8))"],
      ["h.attrs['l'] = [1, 2]", "h.attrs.create('l', [1, 2], dtype='>i8')"],
      ["h.create_dataset('y', (40,), 'f4', fillvalue=3, chunks=(10,), compression='gzip')"]
        + ["h['y'] = np.full(40, 3, 'f4')"],
    ]
    try withTemporaryFolder { folder in
      for group in groups {
        let digests = try Self.make(group, in: folder).map { try TensorFile.digest(ofFileAt: $0) }
        #expect(Set(digests).count == 1, "\(group)")
      }
    }
  }

  @Test("content that no digest could distinguish is refused with its name", needed)
  func refused() throws {
    let contents: [(String, String)] = [
      ("h.attrs['\\u00e9'] = 1; h.attrs['e\\u0301'] = 1", "e\\xcc\\x81 and \\xc3\\xa9"),
      ("h['\\u00e9'] = 1.0; h['e\\u0301'] = 1.0", "e\\xcc\\x81 and \\xc3\\xa9"),
      ("h.attrs['lr'] = 1; h.attrs['lr@json'] = '[2,\"a\"]'", "another attribute with the name 'lr'"),
      ("attribute(h, b'l', *text(h5t.STR_NULLPAD, b'a\\xff', 4))", "attribute 'l': error: its text is not UTF-8"),
      ("attribute(h, b'l\\xff', h5t.STD_I64LE, np.array(1))", "attribute 'l\\xff': error: its name is not UTF-8"),
      ("attribute(h, b'l', *text(h5t.STR_NULLTERM, b'ab\\0cd', 6))", "after a NUL"),
      ("attribute(h, b'l', *text(h5t.STR_NULLPAD, b'ab\\0cd', 6))", "after a NUL"),
      ("dataset(h, floats(lambda t: t.set_fields(31, 22, 9, 0, 22)), None)", "'y': error: its elements are neither"),
      ("dataset(h, floats(lambda t: t.set_ebias(100)), None)", "'y': error: its elements are neither"),
      ("dataset(h, integers(12), None)", "'y': error: its elements are neither"),
      ("dataset(h, h5t.IEEE_F16LE, None)", "'y': error: its elements are neither"),
      ("attribute(h, b'l', floats(lambda t: t.set_ebias(100)), None)", "attribute 'l': error: its type is neither"),
      ("truth(h, [0, 1, 2, 1])", "'y': error: an element is 2"),
      ("h['l'] = h5py.ExternalLink('o.h5', '/x')", "'l': error: a link to another file"),
      ("h['l'] = np.dtype('f4')", "'l': error: a named data type"),
      ("h5o.set_comment(h['x'].id, b'hello')", "'x': error: a comment"),
      ("h['y'] = h5py.Empty('f4')", "'y': error: it has no shape"), ("pass # userblock", "a user block"),
      ("h.attrs.create('r', h['x'].ref, dtype=h5py.ref_dtype)", "attribute 'r': error: its type is neither"),
      ("unwritten(h, None, never=True)", "never written"), ("h['n' * 5000] = 1.0", "longer than 4096 bytes"),
      ("inner(h)", "nested more than 64 levels deep"),
      ("h['..'] = 1.0", "'..': error: a name that is not valid in a path"),
      ("h.create_dataset('y', (1 << 40, 1 << 40, 0), 'f4')", "claims the shape"),
    ]
    try withTemporaryFolder { folder in
      let paths = try Self.make(contents.map(\.0), in: folder)
      for (path, (content, message)) in zip(paths, contents) {
        let error = #expect(throws: TensorFileError.self, "\(content)") { try TensorFile.digest(ofFileAt: path) }
        #expect(error?.isUserData == true && error?.description.contains(message) == true, "\(content): \(error!)")
        #expect(throws: TensorFileError.self) { try TensorFile.read(path) }
      }
    }
  }

  @Test("variable-length text that continues after a NUL is refused", needed)
  func hiddenText() throws {
    try withTemporaryFolder { folder in
      let path = try Self.make(["h.attrs['l'] = 'shown-hidden'"], in: folder)[0]
      var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      let text = Array("shown-hidden".utf8)
      let at = try #require(bytes.indices.first { bytes[$0...].starts(with: text) })
      bytes[at + 5] = 0
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: TensorFileError.self) { try TensorFile.digest(ofFileAt: path) }
      #expect(error?.description.contains("after a NUL") == true)
    }
  }

  @Test("many hard links to one data set take no more memory than one", needed)
  func hardLinks() throws {
    let many = "h.create_dataset('big', (1 << 22,), 'f4'); [h.__setitem__(f'l{i}', h['big']) for i in range(250)]"
    try withTemporaryFolder { folder in
      let paths = try Self.make([many, many + "; h.attrs['v'] = 1"], in: folder)
      #expect(try TensorFile.digest(ofFileAt: paths[0]) != TensorFile.digest(ofFileAt: paths[1]))
      #expect(
        try TensorFile.differences(ofFileAt: paths[0], and: paths[1])
          == [.attribute(name: "v", first: nil, second: 1)])
      let error = #expect(throws: TensorFileError.self) { try TensorFile.read(paths[0]) }
      #expect(error?.code == .tooLarge)
    }
  }
}
