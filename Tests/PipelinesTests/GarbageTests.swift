import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("GarbageCollector removes only what nothing needs")
struct GarbageTests {
  private func collector(_ bench: Bench) throws -> GarbageCollector { GarbageCollector(store: try bench.store()) }

  @Test("by default only objects that no record names are removed")
  func garbageOnly() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    try bench.run(TestPipelines.search, seed: 8)
    #expect(try collector(bench).find().items.isEmpty)
    let orphan = try bench.store().publish(["nobody": "knows"])
    try Files.makeFolder(bench.storePath + "/damaged/20260131-120000.250")
    let garbage = try collector(bench).find()
    #expect(
      Set(garbage.items.map(\.reason)) == [
        "objects not needed", "set aside by repairs",
      ])
    #expect(garbage.items.count == 3 && garbage.keptRecords == 10)
    #expect(try bench.store().hasObject(orphan))
    let removed = try collector(bench).collect { [] }
    #expect(removed.items.map(\.path) == garbage.items.map(\.path))
    #expect(try !bench.store().hasObject(orphan))
    #expect(try bench.audit().findings.isEmpty)
    #expect(try bench.run(TestPipelines.search, seed: 8).executed == [])
  }

  @Test("keeping the newest runs keeps everything they were made from")
  func runs() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let newest = try bench.run(TestPipelines.search, settings: ["pool.genes=[9]"])
    #expect(newest.executed.count == 3)
    let garbage = try collector(bench).collect(keeping: { [] }, runs: 1)
    #expect(garbage.keptRecords == 4)
    #expect(try RunHistory(store: bench.store()).ids().count == 1)
    #expect(try bench.audit().findings.isEmpty)
    #expect(try bench.run(TestPipelines.search, settings: ["pool.genes=[9]"]).executed == [])
    #expect(try bench.run(TestPipelines.search).executed == ["judge[0]", "judge[1]", "judge[2]", "pool", "select"])
  }

  @Test("keeping a pipeline keeps its current results and sources")
  func pipelines() throws {
    let bench = try Bench()
    try FileManager.default.createDirectory(atPath: bench.folder + "/train", withIntermediateDirectories: true)
    try save("one", to: bench.folder + "/train/1")
    bench.variables["TEST_DATA"] = bench.folder
    let text = """
      pipeline: p
      stages:
        data: { uses: folder }
        a: { uses: train, needs: { data: data.train } }
        other: { uses: candidates }
      """
    try bench.run(text)
    let part = text.replacing("  other: { uses: candidates }", with: "")
    let garbage = try collector(bench).collect(keeping: { [try bench.observer(part).plan()] })
    #expect(garbage.keptRecords == 2)
    #expect(try bench.audit().findings.isEmpty)
    #expect(try bench.run(text).executed == ["other"])
  }

  @Test("the checkpoints of an interrupted stage stay while its run is kept")
  func checkpoints() throws {
    let bench = try Bench()
    let text = "pipeline: p\nstages:\n  a: { uses: train, with: { steps: 9, stop-at-step: 5 } }\n"
    let interruption = Interruption()
    let planner = try bench.planner(text, interruption: interruption)
    _ = try Runner(planner: planner, options: RunOptions()) {
      if case .checkpoint(_, 4, _) = $0 { interruption.request() }
    }.run()
    #expect(try !bench.files("checkpoints").isEmpty)
    #expect(try collector(bench).find().items.isEmpty)
    #expect(try collector(bench).find(runs: 1).items.isEmpty)
    #expect(
      try collector(bench).collect(keeping: { [] }, runs: 0).items.map(\.reason).sorted() == [
        "checkpoints not needed", "journals of other runs",
      ])
    #expect(try bench.files("checkpoints").isEmpty)
  }

  @Test("nothing is removed while the store is in use or a record can't be read")
  func refusals() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let store = try bench.store()
    let lock = try StoreLock.shared(store)
    let busy = #expect(throws: PipelineError.self) { try collector(bench).collect { [] } }
    #expect(busy?.code == .busy)
    withExtendedLifetime(lock) {}
    let record = try #require(try bench.files("records").first)
    try Files.write([0x20], to: bench.storePath + "/" + record, append: true)
    let damaged = #expect(throws: PipelineError.self) { try collector(bench).find() }
    #expect(damaged?.code == .damaged && damaged?.message.contains("'repair' sets it aside") == true)
  }
}
