import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import CommandStages
@testable import PipelineModel
@testable import Provenance

@Suite("Exporter and Importer move results between stores as verified bundles")
struct BundleTests {
  private struct Unreproducible: UnreproducibleStage {
    static let hidden = HiddenNumber()
    init(parameters: NoParameters) {}
  }

  /// Runs the search pipeline and exports it.
  private func exported(_ bench: Bench, to name: String = "search.tar", sign key: SigningKey? = nil) throws -> String {
    try bench.run(TestPipelines.search)
    if let key {
      for record in try bench.store().recordKeys() { try Signer(store: bench.store()).sign(record, with: key) }
    }
    let path = bench.folder + "/" + name
    let planner = try bench.planner(TestPipelines.search)
    let source = Exporter.PipelineSource(
      name: "search.yaml", text: Array(TestPipelines.search.utf8), arguments: ["--seed", "7"])
    _ = try Exporter(store: bench.store()).export(planner, source: source, to: path)
    return path
  }

  @Test("an imported bundle is sound and complete; its bytes are a function of its content")
  func roundTrip() throws {
    let bench = try Bench()
    let root = try bench.run(TestPipelines.search).result.root
    let bundle = try exported(bench)
    #expect(try Files.read(bundle) == Files.read(exported(bench, to: "again.tar")))

    let other = try Bench()
    let summary = try Importer(store: other.store()).take(bundle)
    #expect(
      summary.records == 6 && summary.newRecords == 6 && summary.root == root?.hex && summary.pipeline == "search")
    let run = try other.run(TestPipelines.search)
    #expect(run.executed == [] && run.result.root == root)
    #expect(try other.audit(deep: true).findings.isEmpty)
    #expect(try other.files("tmp").isEmpty)
    #expect(try Importer(store: other.store()).take(bundle).newRecords == 0)
    #expect(try Files.read(exported(other)) == Files.read(bundle))
  }

  @Test("tar unpacks a bundle to a store, and sha256sum agrees with its checksums")
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

  @Test("an artifact is exported with its ancestors and nothing else")
  func ancestors() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let plan = try bench.planner(TestPipelines.search).plan()
    let quality = try #require(plan.stages.first { $0.name == "judge" }?.instances[1].outputs["quality"])
    let path = bench.folder + "/one.tar"
    let summary = try Exporter(store: bench.store()).export(.artifact(quality), to: path)
    #expect(summary.records == 3)
    let other = try Bench()
    _ = try Importer(store: other.store()).take(path)
    #expect(try other.audit(deep: true).isSound)
    #expect(try other.run(TestPipelines.search).executed == ["judge[0]", "judge[2]", "select"])
  }

  @Test("the inputs a cached result was originally made from are exported and audited too")
  func earlierOrigins() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let text = TestPipelines.search.replacing("[3, 1, 2]", with: "[3, 5]")
    // judge[0] stays cached; its record names the earlier list.
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

  @Test("export refuses a pipeline that is not up to date")
  func notUpToDate() throws {
    let bench = try Bench()
    let error = #expect(throws: PipelineError.self) {
      try Exporter(store: bench.store()).export(
        bench.planner(TestPipelines.search), source: .init(name: "p", text: [], arguments: []), to: bench.folder + "/x")
    }
    #expect(error?.code == .notUpToDate && !Files.exists(bench.folder + "/x"))
  }

  @Test("import refuses a bundle that contradicts a record of the store, and takes nothing")
  func contradiction() throws {
    let bench = try Bench()
    bench.registry = TestStages.registry(adding: StageKind(Unreproducible.self))
    let text = "pipeline: p\nstages:\n  a: { uses: unreproducible }\n  b: { uses: candidates }\n"
    let path = bench.folder + "/x.tar"
    Unreproducible.hidden.set(1)
    try bench.run(text)
    _ = try Exporter(store: bench.store()).export(
      bench.planner(text), source: .init(name: "p", text: [], arguments: []), to: path)
    let other = try Bench()
    other.registry = bench.registry
    Unreproducible.hidden.set(2)
    try other.run("pipeline: p\nstages:\n  a: { uses: unreproducible }\n")
    let before = try other.files("")
    let error = #expect(throws: PipelineError.self) { try Importer(store: other.store()).take(path) }
    #expect(error?.code == .notReproduced)
    #expect(try other.files("") == before)
  }

  /// A forged change of a bundle, and the message that refuses it.
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
      Forgery(testDescription: "another pipeline", message: "'pipeline/search.yaml': its bytes are not those") {
        files in
        let i = files.firstIndex { $0.name == "pipeline/search.yaml" }!
        files[i].bytes[0] ^= 1
      },
      Forgery(testDescription: "no pipeline", message: "'pipeline/search.yaml' is missing") { files in
        files.removeAll { $0.name == "pipeline/search.yaml" }
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

  @Test("import refuses a forged bundle, takes nothing, and says what is wrong", arguments: Forgery.all)
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
