import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("Recomputation", .serialized)
struct RecomputationTests {
  private struct Unreproducible: UnreproducibleStage {
    static let hidden = HiddenNumber()
    init(parameters: NoParameters) {}
  }

  @Test("a recomputed sample depends on its seed, runs from records alone, and writes nothing")
  func recompute() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let before = try bench.files("")
    let store = try Store(observing: bench.storePath, registry: bench.registry)
    func drawn(_ count: Int, seed: UInt64) throws -> [String] {
      let report = try Reexecution(store: store, variables: [:], options: RunOptions()).recompute(count, seed: seed)
      #expect(report.isReproduced && report.candidates == 6 && report.notRestorable.isEmpty)
      return report.instances.map(\.name)
    }
    #expect(try drawn(9, seed: 1).sorted() == ["judge[0]", "judge[1]", "judge[2]", "pool", "pretrain", "select"])
    let few = try (0..<8).map { try drawn(2, seed: $0) }
    #expect(few.allSatisfy { $0.count == 2 } && Set(few).count > 3)
    #expect(try drawn(2, seed: 3) == few[3] && drawn(9, seed: 3).prefix(2) == few[3][...])
    #expect(try bench.files("") == before)
  }

  @Test("recomputation distinguishes results that differ from stages of another version")
  func recomputeFailures() throws {
    let text = "pipeline: p\nstages:\n  first: { uses: unreproducible }\n  train: { uses: train }\n"
    let bench = try Unreproducible.benches(text, results: [1])[0]
    Unreproducible.hidden.set(2)
    func report(_ registry: StageRegistry) throws -> RecomputationReport {
      let store = try Store(observing: bench.storePath, registry: registry)
      return try Reexecution(store: store, variables: [:], options: RunOptions()).recompute(9, seed: 0)
    }
    let differing = try report(bench.registry)
    #expect(!differing.isReproduced)
    #expect(
      differing.instances.first { $0.name == "first" }?.differences.last?.hasSuffix(": number: 1 against 2") == true)
    let other = try report(TestStages.registry(numerics: "2", adding: StageKind(Unreproducible.self)))
    #expect(other.candidates == 1 && other.notRestorable.count == 1)
    #expect(other.notRestorable[0].contains("'train' can't be executed: numerics is 2 now, not 1"))
  }

  @Test("a stage that reads a source is recomputed from the given folder if its files are unchanged")
  func recomputeSource() throws {
    let bench = try Bench()
    try FileManager.default.createDirectory(atPath: bench.folder + "/train", withIntermediateDirectories: true)
    try save("one", to: bench.folder + "/train/1")
    bench.variables["TEST_DATA"] = bench.folder
    try bench.run(
      "pipeline: p\nstages:\n  data: { uses: folder }\n  a: { uses: train, needs: { data: data.train } }\n")
    defer { withExtendedLifetime(bench) {} }
    let store = try Store(observing: bench.storePath, registry: bench.registry)
    func recompute(_ variables: [String: String]) throws -> RecomputationReport {
      try Reexecution(store: store, variables: variables, options: RunOptions()).recompute(5, seed: 0)
    }
    #expect(try recompute(bench.variables).instances.map(\.isReproduced) == [true])
    #expect(try recompute([:]).failures.first?.message.contains("set TEST_DATA=") == true)
    try save("two", to: bench.folder + "/train/1")
    #expect(try recompute(bench.variables).failures.first?.message.contains("they changed") == true)
  }
}
