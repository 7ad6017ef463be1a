import Foundation
import Testing

@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("An observing Store writes nothing")
struct ObservingTests {
  @Test("a plan creates no store and writes nothing to an existing one")
  func plan() throws {
    let bench = try Bench()
    #expect(
      try bench.observer(TestPipelines.search).plan().stages.map(\.state) == [.missing, .missing, .waiting, .waiting])
    #expect(!Files.exists(bench.storePath))
    try bench.run(TestPipelines.search)
    try Files.remove(bench.storePath + "/index")
    let before = try bench.files("")
    #expect(try bench.observer(TestPipelines.search).plan().isUpToDate)
    #expect(try bench.files("").filter { $0 != "index" } == before)
  }

  @Test("a rerun writes nothing, even if an element is missing")
  func rerun() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    for file in try bench.files("objects") where !file.contains(".tree") {
      let text = String(decoding: try Files.read(bench.storePath + "/" + file), as: UTF8.self)
      if text == #"{"gene":3}"# { try Files.remove(bench.storePath + "/" + file) }
    }
    let before = try bench.files("")
    let rerunner = Rerunner(planner: try bench.observer(TestPipelines.search), options: RunOptions())
    #expect(try rerunner.rerun(["judge", "select"]).isReproduced)
    #expect(try bench.files("") == before)
  }

  @Test("sources are read without a store")
  func sources() throws {
    let bench = try Bench()
    try FileManager.default.createDirectory(atPath: bench.folder + "/train", withIntermediateDirectories: true)
    try save("one", to: bench.folder + "/train/1")
    bench.variables["TEST_DATA"] = bench.folder
    let plan = try bench.observer("pipeline: p\nstages:\n  data: { uses: folder }\n").plan()
    #expect(plan.problems.isEmpty && plan.isUpToDate)
    #expect(!Files.exists(bench.storePath))
  }
}

extension Bench {
  /// A planner that reads the store and never writes to it.
  func observer(_ text: String, seed: UInt64? = nil, settings: [String] = []) throws -> Planner {
    try planner(text, seed: seed, settings: settings, making: false)
  }
}
