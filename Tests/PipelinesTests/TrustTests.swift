import Determinism
import Foundation
import PipelineFiles
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner

@Suite("Untrusted stores, artifacts and pipeline files")
struct TrustTests {
  @Test(
    "a tree's manifest may name only files below the tree",
    arguments: ["../out", "a/../../out", "/etc/passwd", "a//b", "./a", "a/.", "", "a/"])
  func paths(_ path: String) {
    let good = TreeManifest([.init(path: "a/b", size: 1, sha256: Digest(of: "x"))])
    #expect(TreeManifest(bytes: good.bytes) == good)
    let bad = TreeManifest([.init(path: path, size: 1, sha256: Digest(of: "x"))])
    #expect(TreeManifest(bytes: bad.bytes) == nil)
  }

  struct Linking: Stage {
    static let name = "linking", version = 1
    static let outputs = [OutputPort("files", "tree")]
    init(parameters: NoParameters) {}
    func run(in context: StageContext) throws {
      try context.write("files") { folder in
        try FileManager.default.createSymbolicLink(atPath: folder + "/passwd", withDestinationPath: "/etc/passwd")
      }
    }
  }

  @Test("a symbolic link among the outputs is refused")
  func linkedOutput() throws {
    let bench = try Bench()
    bench.registry = StageRegistry(kinds: [StageKind(Linking.self)])
    let result = try bench.run("pipeline: p\nstages:\n  a: { uses: linking }\n").result
    #expect(result.failures.first?.message.contains("passwd is a link, which no artifact can hold") == true)
    #expect(try bench.audit().isSound)
  }

  @Test(
    "a store with linked folders is refused, and their targets are not touched",
    arguments: ["tmp", "objects", "records", "runs", "checkpoints", "locks", "sources"])
  func linkedFolder(_ folder: String) throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let outside = bench.folder + "/outside"
    try Files.makeFolder(outside + "/precious")
    try Files.remove("\(bench.storePath)/\(folder)")
    try FileManager.default.createSymbolicLink(
      atPath: "\(bench.storePath)/\(folder)", withDestinationPath: outside)
    let error = #expect(throws: PipelineError.self) { try bench.run(TestPipelines.search) }
    #expect(error?.message.contains("\(folder) is a link") == true)
    #expect(throws: PipelineError.self) { try Store(observing: bench.storePath, registry: bench.registry) }
    #expect(try Files.list(outside) == ["precious"])
  }

  @Test(
    "a store with a file in place of a folder is refused with a remedy",
    arguments: ["tmp", "objects", "records", "runs", "checkpoints", "locks", "sources"])
  func fileForFolder(_ folder: String) throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    try Files.remove("\(bench.storePath)/\(folder)")
    try save("", to: "\(bench.storePath)/\(folder)")
    let error = #expect(throws: PipelineError.self) { try bench.run(TestPipelines.search) }
    #expect(error?.message.contains("\(folder) is not a folder, as it is in a store") == true)
    #expect(throws: PipelineError.self) { try Store(observing: bench.storePath, registry: bench.registry) }
  }

  @Test("a pipe or folder in place of the index is refused with a remedy, without blocking")
  func strangeIndex() throws {
    for isPipe in [true, false] {
      let bench = try Bench()
      try bench.run(TestPipelines.search)
      let index = bench.storePath + "/index"
      try Files.remove(index)
      if isPipe { mkfifo(index, 0o600) } else { try Files.makeFolder(index) }
      let error = #expect(throws: PipelineError.self) { try bench.run(TestPipelines.search) }
      #expect(error?.message.contains("Remove it: it only summarises the records") == true)
      try Files.remove(index)
      #expect(try bench.run(TestPipelines.search).executed == [])
    }
  }

  @Test("a linked index is not written through the link")
  func linkedIndex() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let outside = bench.folder + "/outside"
    try save("precious", to: outside)
    try Files.remove(bench.storePath + "/index")
    try FileManager.default.createSymbolicLink(atPath: bench.storePath + "/index", withDestinationPath: outside)
    _ = try? bench.run(TestPipelines.search, settings: ["pool.genes=[9]"])
    #expect(try Files.read(outside) == Array("precious".utf8))
  }

  @Test("an object that is a link, a pipe or a device counts as damaged, without following or blocking")
  func oddObjects() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let plan = try bench.planner(TestPipelines.search).plan()
    let weights = try #require(plan.stages.first { $0.name == "pretrain" }?.instances[0].outputs["weights"])
    let path = try bench.store().objectPath(weights)
    let copy = bench.folder + "/copy"
    try Files.write(Files.read(path), to: copy)
    for kind in ["link", "pipe"] {
      try Files.remove(path)
      if kind == "link" {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: copy)
      } else {
        #expect(mkfifo(path, 0o644) == 0)
      }
      let problems = try bench.audit().findings.filter(\.isProblem)
      #expect(problems.count == 1 && path.hasSuffix(problems[0].path), "\(kind): \(problems)")
      let result = try bench.run(TestPipelines.search, settings: ["pool.genes=[9]"]).result
      #expect(result.failures.count == 1, "\(kind)")
    }
  }

  @Test("an audit finds an index that contradicts a record")
  func contradictingIndex() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let store = try bench.store()
    var entry = try #require(store.index.entry(store.recordKeys()[0]))
    entry.outputs = entry.outputs.mapValues { Artifact(kind: $0.kind, digest: Digest(of: "another")) }
    try store.index.add([entry])
    let finding = try bench.audit().findings.first { $0.path == "index" }
    #expect(finding?.kind == .mismatching && finding?.message.contains("delete the index") == true)
  }

  @Test("names of stages can't lead to other paths, however the pipeline is made")
  func logNames() throws {
    let bench = try Bench()
    let store = try bench.store()
    let journal = Journal(store: store, pipeline: "p")
    journal.note(.log(stage: "../../escaped", text: "hello"))
    let files = try bench.files("runs")
    #expect(files.contains { $0.hasSuffix("/------escaped.log") })
    #expect(try Files.list(bench.folder) == ["store"])
  }

  struct Many: Stage {
    static let name = "many", version = 1
    static let outputs = [OutputPort("list", "json")]
    init(parameters: NoParameters) {}
    func run(in context: StageContext) throws {
      try context.write("list", json: Array(repeating: 1, count: ElementValue.limit + 1))
    }
  }

  @Test("an array with more elements than a fan-out allows is refused")
  func manyElements() throws {
    let bench = try Bench()
    bench.registry = StageRegistry(kinds: [StageKind(Many.self), StageKind(Evaluate.self)])
    let result = try bench.run(
      """
      pipeline: p
      stages:
        pool: { uses: many }
        judge: { uses: evaluate, for-each: pool.list, needs: { architecture: each } }
      """
    ).result
    #expect(result.failures.first?.message.contains("for-each takes at most") == true)
  }

  @Test("an oversized record is not read into memory")
  func largeRecord() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let store = try bench.store()
    let key = try store.recordKeys()[0]
    #expect(truncate(store.recordPath(key), 1 << 40) == 0)
    let error = #expect(throws: PipelineError.self) { try store.record(key) }
    #expect(error?.code == .damaged)
    #expect(try !bench.audit().isSound)
  }

  struct Bomb: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let says: String

    static let all = [
      Bomb(
        testDescription: "aliases that multiply",
        text: "a: &a [x, x, x]\n" + (0..<9).map { i in "b\(i): &b\(i) [\(bombs(i))]\n" }.joined() + "pipeline: p\n",
        says: "too many values"),
      Bomb(
        testDescription: "many aliases", text: "a: &a x\nb: [\(String(repeating: "*a, ", count: 40))]\n",
        says: "more than 30 aliases"),
      Bomb(testDescription: "an alias as a key", text: "a: &a [x]\n? *a : b\n", says: "can't be a key"),
      Bomb(
        testDescription: "names that multiply",
        text: "pipeline: p\nlet:\n  n0: x\n"
          + (1..<20).map { "  n\($0): [$n\($0 - 1), $n\($0 - 1), $n\($0 - 1)]\n" }.joined()
          + "stages:\n  a: { uses: train, with: { layer-widths: $n19 } }\n", says: "do names under 'let' expand"),
      Bomb(
        testDescription: "brackets without end", text: "a: " + String(repeating: "[", count: 500_000),
        says: "nested too deeply"),
      Bomb(
        testDescription: "lists in lists", text: String(repeating: "- ", count: 400_000) + "x\n",
        says: "nested too deeply"),
      Bomb(
        testDescription: "a stair of lists",
        text: (0..<100).map { String(repeating: " ", count: 2 * 60 * $0) + String(repeating: "- ", count: 60) }
          .joined(separator: "\n"), says: ""),
      Bomb(
        testDescription: "a stair of mappings",
        text: (0..<1300).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n"), says: "too deep"),
      Bomb(
        testDescription: "a large file", text: String(repeating: "# x\n", count: 300_000), says: "larger than 1 MiB"),
    ]

    private static func bombs(_ i: Int) -> String {
      Array(repeating: i == 0 ? "*a" : "*b\(i - 1)", count: 3).joined(separator: ", ")
    }
  }

  @Test("YAML that would expand without bounds is refused with its position", arguments: Bomb.all)
  func bomb(_ bomb: Bomb) throws {
    let error = #expect(throws: PipelineError.self) {
      try PipelineFile(text: bomb.text, path: "bomb.yaml").description()
    }
    #expect(error?.description.hasPrefix("bomb.yaml") == true && error?.isUserData == true)
    #expect(error?.message.contains(bomb.says) == true || bomb.says.isEmpty, "\(error?.message ?? "")")
  }

  @Test("only a regular file is read as a pipeline or as its base")
  func devices() throws {
    let bench = try Bench()
    #expect(throws: PipelineError.self) { try PipelineFile(path: "/dev/zero") }
    let pipe = bench.folder + "/pipe.yaml"
    #expect(mkfifo(pipe, 0o644) == 0)
    let file = bench.folder + "/p.yaml"
    try save("based-on: pipe.yaml\n", to: file)
    let error = #expect(throws: PipelineError.self) { try PipelineFile(path: file) }
    #expect(error?.message.contains("not a file") == true)
  }
}
