import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import CommandStages
@testable import PipelineModel
@testable import Provenance

@Suite("A bundle holds what a pipeline rests on, and is verified before it is taken in")
struct BundleTests {
  /// Runs the toy search and writes its bundle.
  private func exported(_ bench: Bench, to name: String = "toy.tar", sign key: SigningKey? = nil) throws -> String {
    try bench.run(Toys.search)
    if let key {
      for record in try bench.store().recordKeys() { try Signer(store: bench.store()).sign(record, with: key) }
    }
    let path = bench.folder + "/" + name
    let planner = try bench.planner(Toys.search)
    let source = Exporter.PipelineSource(name: "toy.yaml", text: Array(Toys.search.utf8), arguments: ["--seed", "7"])
    _ = try Exporter(store: bench.store()).export(planner, source: source, to: path)
    return path
  }

  @Test("what is taken in elsewhere is sound and all that is needed; the bytes are a function of the content")
  func roundTrip() throws {
    let bench = try Bench()
    let root = try bench.run(Toys.search).result.root
    let bundle = try exported(bench)
    #expect(try Files.read(bundle) == Files.read(exported(bench, to: "again.tar")))

    let other = try Bench()
    let summary = try Importer(store: other.store()).take(bundle)
    #expect(summary.records == 6 && summary.newRecords == 6 && summary.root == root?.hex && summary.pipeline == "toy")
    let run = try other.run(Toys.search)
    #expect(run.executed == [] && run.result.root == root)
    #expect(try other.audit(deep: true).findings.isEmpty)
    #expect(try other.files("tmp").isEmpty)
    #expect(try Importer(store: other.store()).take(bundle).newRecords == 0)
    #expect(try Files.read(exported(other)) == Files.read(bundle))
  }

  @Test("unpacked by tar it is a store, and its sums are those of sha256sum")
  func unpacked() throws {
    let bench = try Bench()
    let bundle = try exported(bench)
    let folder = bench.folder + "/unpacked"
    try Files.makeFolder(folder)
    for command in [["tar", "-xf", bundle], ["sha256sum", "--quiet", "-c", "SHA256SUMS"]] {
      let tool = try #require(ToolFinder(searchPath: ToolFinder.standardPath).find(command[0]))
      let process = ChildProcess(executable: tool, arguments: command, environment: [:], folder: folder)
      #expect(
        try process.run(
          output: bench.folder + "/log", errors: bench.folder + "/log", interruption: Interruption()) == .exited(0))
    }
    let store = try Store(observing: folder, registry: bench.registry)
    #expect(try Auditor(store: store, deep: true).audit().isSound)
  }

  @Test("one artifact comes with its ancestors and no more")
  func ancestors() throws {
    let bench = try Bench()
    try bench.run(Toys.search)
    let plan = try bench.planner(Toys.search).plan()
    let quality = try #require(plan.stages.first { $0.name == "judge" }?.instances[1].outputs["quality"])
    let path = bench.folder + "/one.tar"
    let summary = try Exporter(store: bench.store()).export(.artifact(quality), to: path)
    #expect(summary.records == 3)
    let other = try Bench()
    _ = try Importer(store: other.store()).take(path)
    #expect(try other.audit(deep: true).isSound)
    #expect(try other.run(Toys.search).executed == ["judge[0]", "judge[2]", "select"])
  }

  @Test("what a cached result was first made from goes along, and is audited with the pipeline")
  func earlierOrigins() throws {
    let bench = try Bench()
    try bench.run(Toys.search)
    let text = Toys.search.replacing("[3, 1, 2]", with: "[3, 5]")
    // judge[0] stays; its record names the earlier list.
    #expect(try bench.run(text).executed == ["judge[1]", "pool", "select"])
    let planner = try bench.planner(text)
    #expect(try Auditor(store: bench.store()).audit(plan: planner.plan()).isSound)
    let path = bench.folder + "/x.tar"
    let source = Exporter.PipelineSource(name: "p", text: [], arguments: [])
    _ = try Exporter(store: bench.store()).export(planner, source: source, to: path)
    let other = try Bench()
    _ = try Importer(store: other.store()).take(path)
    #expect(try other.run(text).executed == [])
    #expect(try other.audit(deep: true).isSound)
  }

  @Test("a pipeline that is not up to date is not exported")
  func notUpToDate() throws {
    let bench = try Bench()
    let error = #expect(throws: PipelineError.self) {
      try Exporter(store: bench.store()).export(
        bench.planner(Toys.search), source: .init(name: "p", text: [], arguments: []), to: bench.folder + "/x")
    }
    #expect(error?.code == .notUpToDate && !Files.exists(bench.folder + "/x"))
  }

  @Test("a bundle that contradicts a record is refused whole")
  func contradiction() throws {
    let bench = try Bench()
    let text = "pipeline: p\nstages:\n  a: { uses: unstable }\n  b: { uses: candidates }\n"
    let path = bench.folder + "/x.tar"
    TestControls.unstableValue.store(1, ordering: .relaxed)
    try bench.run(text)
    _ = try Exporter(store: bench.store()).export(
      bench.planner(text), source: .init(name: "p", text: [], arguments: []), to: path)
    let other = try Bench()
    TestControls.unstableValue.store(2, ordering: .relaxed)
    try other.run("pipeline: p\nstages:\n  a: { uses: unstable }\n")
    let before = try other.files("")
    let error = #expect(throws: PipelineError.self) { try Importer(store: other.store()).take(path) }
    #expect(error?.code == .notReproduced)
    #expect(try other.files("") == before)
  }

  /// A change of one file of a bundle.
  struct Forgery: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let message: String
    /// Files by name, in the order of the bundle.
    let change: @Sendable (inout [(name: String, bytes: [UInt8])]) -> Void

    static func first(_ part: String, _ ending: String, _ files: [(name: String, bytes: [UInt8])]) -> Int {
      files.firstIndex { $0.name.hasPrefix(part) && $0.name.hasSuffix(ending) }!
    }

    static let all = [
      Forgery(testDescription: "a flipped bit of an object", message: "its bytes are not those that its SHA-256 says") {
        $0[first("objects", ".json", $0)].bytes[0] ^= 1
      },
      Forgery(testDescription: "an object under another name", message: "its content has the digest") {
        let i = first("objects", ".json", $0)
        let other = "objects/aa/\(String(repeating: "a", count: 62)).json"
        $0.append((other, $0[i].bytes))
        $0.append((other + ".sha256", Array((Digest(of: $0[i].bytes).hex + "\n").utf8)))
      },
      Forgery(testDescription: "a missing checksum", message: "a part of it is missing") {
        $0.remove(at: first("objects", ".json.sha256", $0))
      },
      Forgery(testDescription: "a missing object", message: "is missing") {
        let i = first("objects", ".json", $0)
        $0.removeSubrange(i...i + 1)
      },
      Forgery(testDescription: "a changed file of a tree", message: "its files are not those of its manifest") {
        $0[first("objects", "flat.txt", $0)].bytes[0] ^= 1
      },
      Forgery(testDescription: "one more file in a tree", message: "its files are not those of its manifest") {
        let i = first("objects", "flat.txt", $0)
        $0.insert(($0[i].name + "2", [1]), at: i)
      },
      Forgery(testDescription: "an edited record", message: "was changed after it was written") {
        let i = first("records", ".json", $0)
        $0[i].bytes = Array(
          String(decoding: $0[i].bytes, as: UTF8.self).replacing("\"seconds\":", with: "\"seconds\":1").utf8)
      },
      Forgery(testDescription: "a record under another key", message: "is the record of another key") {
        let i = first("records", ".json", $0)
        $0[i].name = "records/\(String(repeating: "b", count: 64)).json"
      },
      Forgery(testDescription: "a missing record", message: "no record says what made its input") { files in
        let i = files.firstIndex {
          $0.name.hasPrefix("records") && String(decoding: $0.bytes, as: UTF8.self).contains("\"train\"")
        }!
        files.remove(at: i)
      },
      Forgery(testDescription: "a path upwards", message: "a bad name") { $0.append(("../../evil", [1])) },
      Forgery(testDescription: "an absolute path", message: "a bad name") { $0.append(("/tmp/evil", [1])) },
      Forgery(testDescription: "a path upwards in a tree", message: "a bad name") {
        let i = first("objects", "flat.txt", $0)
        $0.append(($0[i].name.replacing("flat.txt", with: "../../../../../evil"), [1]))
      },
      Forgery(testDescription: "a file that is not part of a bundle", message: "is not part of a bundle") {
        $0.append(("index", [1]))
      },
      Forgery(testDescription: "an object of an unknown kind", message: "is not part of a bundle") {
        $0.append(("objects/aa/\(String(repeating: "a", count: 62)).exe", [1]))
      },
      Forgery(testDescription: "another version", message: "a bundle of another version") {
        $0[first("format", "format", $0)].bytes = Array("1\n".utf8)
      },
      Forgery(testDescription: "another pipeline", message: "'pipeline/toy.yaml': its bytes are not those") { files in
        let i = files.firstIndex { $0.name == "pipeline/toy.yaml" }!
        files[i].bytes[0] ^= 1
      },
      Forgery(testDescription: "no pipeline", message: "'pipeline/toy.yaml' is missing") { files in
        files.removeAll { $0.name == "pipeline/toy.yaml" }
      },
      Forgery(testDescription: "a name twice", message: "a name that comes twice") {
        $0.append($0[first("objects", ".json", $0)])
      },
      Forgery(testDescription: "a signature of nothing", message: "which is missing") {
        let envelope = try! Envelope(signing: [1], with: SigningKey())
        let id = envelope.signatures[0].keyID
        $0.append(
          ("signatures/\(String(repeating: "c", count: 64))/\(id).json", envelope.canonical.canonicalBytes))
      },
    ]
  }

  @Test("a forged bundle is refused whole, and says what is wrong", arguments: Forgery.all)
  func forgery(_ forgery: Forgery) throws {
    let bench = try Bench()
    let bundle = try exported(bench)
    var files = [(name: String, bytes: [UInt8])]()
    let reader = try TarReader(path: bundle)
    while let entry = try reader.next() { files.append((entry.name, try reader.contents())) }
    forgery.change(&files)
    let writer = try TarWriter(path: bundle)
    for file in files { try writer.add(file.name, file.bytes) }
    try writer.finish()

    let other = try Bench()
    let store = try other.store()
    let error = #expect(throws: PipelineError.self) { try Importer(store: store).take(bundle) }
    #expect(error?.message.contains(forgery.message) == true, "\(error?.message ?? "")")
    #expect(error?.isUserData == true, "\(error?.code.description ?? "")")
    #expect(try other.files("objects").isEmpty && other.files("records").isEmpty && other.files("tmp").isEmpty)
    #expect(!Files.exists(bench.folder + "/evil") && !Files.exists(other.folder + "/evil"))
  }
}

@Suite("Tar archives")
struct TarTests {
  @Test("long, odd and ordinary names come back, modes and contents with them")
  func roundTrip() throws {
    let bench = try Bench()
    let path = bench.folder + "/a.tar"
    let names = [
      "plain", "a/b/c.txt", String(repeating: "n", count: 100), String(repeating: "d/", count: 60) + "deep",
      String(repeating: "n", count: 101), "naïve/täxt",
      String(repeating: "x", count: 250) + "/" + String(repeating: "y", count: 250),
    ]
    let writer = try TarWriter(path: path)
    for (i, name) in names.enumerated() {
      try writer.add(name, [UInt8](repeating: UInt8(i), count: i * 511), executable: i % 2 == 1)
    }
    try writer.finish()
    let reader = try TarReader(path: path)
    for (i, name) in names.enumerated() {
      let entry = try #require(try reader.next())
      #expect(entry.name == name && entry.isExecutable == (i % 2 == 1))
      #expect(try reader.contents() == [UInt8](repeating: UInt8(i), count: i * 511))
    }
    #expect(try reader.next() == nil)
    // As others see it.
    let tool = try #require(ToolFinder(searchPath: ToolFinder.standardPath).find("tar"))
    let process = ChildProcess(
      executable: tool, arguments: ["tar", "-tf", path], environment: ["LC_ALL": "C.UTF-8"], folder: bench.folder)
    #expect(
      try process.run(output: bench.folder + "/list", errors: bench.folder + "/err", interruption: Interruption())
        == .exited(0))
    let listed = String(decoding: try Files.read(bench.folder + "/list"), as: UTF8.self).split(separator: "\n")
    #expect(listed.map(String.init).count == names.count && listed.starts(with: names.prefix(4).map { Substring($0) }))
  }

  @Test("links, lies and torn archives are refused")
  func hostile() throws {
    let bench = try Bench()
    let path = bench.folder + "/a.tar"
    let writer = try TarWriter(path: path)
    try writer.add("file", Array("content".utf8))
    try writer.finish()
    let sound = try Files.read(path)
    func refused(_ change: (inout [UInt8]) -> Void) throws -> Bool {
      var bytes = sound
      change(&bytes)
      // The checksum is right: only what it covers is wrong.
      for i in 148..<156 { bytes[i] = 0x20 }
      let sum = bytes.prefix(512).reduce(0) { $0 + Int($1) }
      let digits = String(sum, radix: 8)
      bytes.replaceSubrange(148..<154, with: Array((String(repeating: "0", count: 6 - digits.count) + digits).utf8))
      try Files.write(bytes, to: path)
      do {
        let reader = try TarReader(path: path)
        while let _ = try reader.next() { _ = try reader.contents() }
        return false
      } catch let error as PipelineError {
        return error.code == .badArtifact
      }
    }
    #expect(try !refused { _ in })
    for type in "123467gLK" { #expect(try refused { $0[156] = type.asciiValue! }, "type \(type)") }
    #expect(try refused { $0.replaceSubrange(124..<135, with: Array("77777777777".utf8)) })
    #expect(try refused { $0[124] = 0x80 })
    #expect(try refused { $0[0] = UInt8(ascii: "/") })
    #expect(try refused { $0[257] = 0 })
    // Torn at any place: an error or, inside the padding at the end, nothing at all.
    for length in stride(from: 0, to: 1024, by: 37) {
      try Files.write(Array(sound.prefix(length)), to: path)
      #expect(throws: PipelineError.self) {
        let reader = try TarReader(path: path)
        while let _ = try reader.next() { _ = try reader.contents() }
      }
    }
  }
}
