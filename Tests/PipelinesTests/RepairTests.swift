import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("Repair", .serialized)
struct RepairTests {
  private struct Unreproducible: UnreproducibleStage {
    static let hidden = HiddenNumber()
    init(parameters: NoParameters) {}
  }

  private func damage(_ bench: Bench, _ artifact: Artifact, _ harm: (String) throws -> Void) throws {
    let path = try bench.store().objectPath(artifact)
    try harm(artifact.kind == TreeFormat.name ? path + "/files/flat.txt" : path)
  }

  private func flip(_ path: String) throws {
    var bytes = try Files.read(path)
    bytes[0] ^= 1
    try Files.remove(path)
    try Files.write(bytes, to: path)
  }

  /// Which stages a repair executes, and what it reports.
  private func repair(_ bench: Bench, _ targets: [String] = []) throws -> (RepairReport, executed: [String]) {
    let executed = Recorder()
    let repairer = Reexecution(store: try bench.store(), variables: bench.variables, options: RunOptions()) {
      if case .started(let stage, _, _) = $0 { executed.note(stage) }
    }
    return (try repairer.repair(targets), executed.notes.sorted())
  }

  @Test("repair runs only the stage of a damaged or missing artifact", arguments: [false, true])
  func repair(isMissing: Bool) throws {
    let bench = try Bench()
    let root = try bench.run(TestPipelines.search).result.root
    let plan = try bench.observer(TestPipelines.search).plan()
    for stage in plan.stages {
      for instance in stage.instances {
        for (output, artifact) in instance.outputs.sorted(by: { $0.key < $1.key }) {
          try damage(bench, artifact) { try isMissing ? Files.remove($0) : flip($0) }
          #expect(try !bench.audit().isSound)
          let (report, executed) = try repair(bench)
          #expect(report.isComplete && report.items.count == 1)
          #expect(report.items.first?.subject == "output '\(output)' of '\(instance.name)'")
          #expect(executed == [instance.name])
          #expect(try bench.audit().isSound)
          let aside = try bench.files("damaged")
          #expect(isMissing ? aside.allSatisfy { $0.hasSuffix(".sha256") || $0.contains(".tree/") } : !aside.isEmpty)
          try Files.remove(bench.storePath + "/damaged")
        }
      }
    }
    #expect(try repair(bench).0.items.isEmpty)
    #expect(try bench.run(TestPipelines.search).result.root == root)
  }

  @Test("repair restores the inputs of a damaged stage first")
  func chain() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    for file in try bench.files("objects") { try Files.remove(bench.storePath + "/" + file) }
    let (report, executed) = try repair(bench, ["select"])
    #expect(report.isComplete)
    // Element objects are restored from the array without an execution.
    #expect(executed == ["judge[0]", "judge[1]", "judge[2]", "pool", "pretrain", "select"])
    #expect(try bench.audit().isSound && bench.observer(TestPipelines.search).plan().isUpToDate)
  }

  @Test("repair restores an element from its array")
  func element() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let value: CanonicalValue = ["gene": 1]
    try flip(bench.store().objectPath(Artifact(kind: "json", digest: value.digest)))
    let (report, executed) = try repair(bench, [String(value.digest.hex.prefix(8))])
    #expect(report.isComplete && report.items.count == 1 && executed == [])
    #expect(try bench.audit().findings.isEmpty)
  }

  @Test("repair restores the manifest of a source if its files are unchanged")
  func source() throws {
    let bench = try Bench()
    try FileManager.default.createDirectory(atPath: bench.folder + "/train", withIntermediateDirectories: true)
    try save("one", to: bench.folder + "/train/1")
    bench.variables["TEST_DATA"] = bench.folder
    try bench.run("pipeline: p\nstages:\n  data: { uses: folder }\n")
    let manifest = try #require(try bench.files("objects").first { $0.hasSuffix(".manifest") })
    try flip(bench.storePath + "/" + manifest)
    try save("two", to: bench.folder + "/train/1")
    let changed = try repair(bench).0.items.first?.outcome
    guard case .impossible(let why)? = changed else { Issue.record("\(String(describing: changed))"); return }
    #expect(why.contains("they changed"))
    try save("one", to: bench.folder + "/train/1")
    #expect(try repair(bench).0.isComplete && bench.audit().isSound)
  }

  @Test("repair does not replace the result of another version")
  func otherVersion() throws {
    let bench = try Bench()
    try bench.run("pipeline: p\nstages:\n  train: { uses: train }\n")
    let object = try #require(try bench.files("objects").first { $0.hasSuffix(".json") })
    try flip(bench.storePath + "/" + object)
    bench.registry = TestStages.registry(numerics: "2")
    let (report, executed) = try repair(bench)
    #expect(!report.isComplete && !report.hasDifferences && executed == [])
    #expect(try bench.files("objects").contains(object))
  }

  @Test("repair does not store a result that does not reproduce")
  func different() throws {
    let bench = try Unreproducible.benches("pipeline: p\nstages:\n  first: { uses: unreproducible }\n", results: [1])[0]
    let object = try #require(try bench.files("objects").first { $0.hasSuffix(".json") })
    try flip(bench.storePath + "/" + object)
    Unreproducible.hidden.set(2)
    let (report, _) = try repair(bench)
    #expect(report.hasDifferences && !report.isComplete)
    // A damaged object stays until its replacement exists.
    #expect(try bench.files("objects").count == 2 && bench.files("damaged").isEmpty)
    Unreproducible.hidden.set(1)
    #expect(try repair(bench).0.isComplete)
  }

  @Test("repair sets a damaged record aside, and the next run makes it again")
  func record() throws {
    let bench = try Bench()
    let root = try bench.run(TestPipelines.search).result.root
    let record = try #require(try bench.files("records").first)
    try flip(bench.storePath + "/" + record)
    let (report, executed) = try repair(bench)
    #expect(report.items.map(\.outcome) == [.setAside] && executed == [])
    #expect(try bench.run(TestPipelines.search).executed.count == 1)
    #expect(try bench.run(TestPipelines.search).result.root == root)
    #expect(throws: PipelineError.self) { try repair(bench, ["selekt"]) }
  }
}
