import Foundation
import Testing

@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("Looking at a store leaves no trace")
struct ObservingTests {
  @Test("a plan makes no store, and writes nothing into one that is there")
  func plan() throws {
    let bench = try Bench()
    #expect(try bench.observer(Toys.search).plan().stages.map(\.state) == [.missing, .missing, .waiting, .waiting])
    #expect(!Files.exists(bench.storePath))
    try bench.run(Toys.search)
    try Files.remove(bench.storePath + "/index")
    let before = try bench.files("")
    #expect(try bench.observer(Toys.search).plan().isUpToDate)
    #expect(try bench.files("").filter { $0 != "index" } == before)
  }

  @Test("a rerun leaves no trace either, even where an element is missing")
  func rerun() throws {
    let bench = try Bench()
    try bench.run(Toys.search)
    for file in try bench.files("objects") where !file.contains(".tree") {
      let text = String(decoding: try Files.read(bench.storePath + "/" + file), as: UTF8.self)
      if text == #"{"gene":3}"# { try Files.remove(bench.storePath + "/" + file) }
    }
    let before = try bench.files("")
    let rerunner = Rerunner(planner: try bench.observer(Toys.search), options: RunOptions())
    #expect(try rerunner.rerun(["judge", "select"]).isReproduced)
    #expect(try bench.files("") == before)
  }

  @Test("sources are looked at without a store")
  func sources() throws {
    let bench = try Bench()
    try FileManager.default.createDirectory(atPath: bench.folder + "/train", withIntermediateDirectories: true)
    try save("one", to: bench.folder + "/train/1")
    bench.variables["TOY"] = bench.folder
    let plan = try bench.observer("pipeline: p\nstages:\n  data: { uses: folder }\n").plan()
    #expect(plan.problems.isEmpty && plan.isUpToDate)
    #expect(!Files.exists(bench.storePath))
  }
}

extension Bench {
  /// A planner that only looks at the store.
  func observer(_ text: String, seed: UInt64? = nil, settings: [String] = []) throws -> Planner {
    try planner(text, seed: seed, settings: settings, making: false)
  }
}
