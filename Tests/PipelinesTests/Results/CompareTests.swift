import Determinism
import Foundation
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Results

/// Makes the elements of a grid, and measures them.
private struct Measure: Stage {
  struct Parameters: StageParameters {
    var offset = 0.0
    var silent = false
  }
  static let name = "measure", version = 1, isRandom = true
  static let inputs = [InputPort("config", "json", optional: true)]
  static let outputs = [OutputPort("metrics", "metrics"), OutputPort("other", "json")]
  static let highlights = [Highlight("twice", of: "other", at: "inner.value", scale: 2)]
  let parameters: Parameters
  func run(in context: StageContext) throws {
    let rate = try context.optionalInput("config")?.json()["rate"]?.numberValue ?? 0
    let value = rate + parameters.offset + Double(context.seeds.seed)
    let metrics: CanonicalValue =
      parameters.silent ? [:] : ["value": .number(value), "word": "same", "group": ["n": 1]]
    try context.write("metrics", json: metrics)
    try context.write("other", json: ["inner": ["value": value]])
  }
}

/// Reads what was measured, and does not see the element.
private struct Judge: Stage {
  static let name = "judge", version = 1
  static let inputs = [InputPort("metrics", "metrics")]
  static let outputs = [OutputPort("metrics", "metrics")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {
    try context.write("metrics", json: ["judged": try context.input("metrics").json()["value"]?.numberValue ?? 0])
  }
}

private struct Grid: Stage {
  static let name = "grid", version = 1
  static let outputs = [OutputPort("list", "json")]
  init(parameters: NoParameters) {}
  func run(in context: StageContext) throws {
    try context.write(
      "list",
      json: [["rate": 0.5, "depth": 1], ["rate": 1, "depth": 1], ["rate": 0.5, "depth": 2]] as [[String: Double]])
  }
}

@Suite("Runs are compared")
struct CompareTests {
  private static func bench() throws -> Bench {
    let bench = try Bench()
    bench.registry = TestStages.registry(
      adding: StageKind(Measure.self), StageKind(Judge.self), StageKind(Grid.self))
    return bench
  }

  private static let single =
    "pipeline: one\nseed: 1\nstages:\n  m: { uses: measure }\n  n: { uses: measure, with: { seed: 9 } }\n"
  private static let grid = """
    pipeline: grid
    seed: 1
    stages:
      pool: { uses: grid }
      m: { uses: measure, for-each: pool.list, needs: { config: each } }
      j: { uses: judge, for-each: pool.list, needs: { metrics: m.metrics } }
    """

  @Test("parameters that differ and all metrics are there; a missing metric is missing")
  func runs() throws {
    let bench = try Self.bench()
    try bench.run(Self.single, named: "a", seed: 1)
    try bench.run(Self.single, named: "b", seed: 1, settings: ["m.offset=0.5"])
    try bench.run(Self.single, named: "c", seed: 1, settings: ["m.silent=true"])
    let comparison = try ComparedRuns(stores: [bench.store()]).compare(["a", "b", "c"])
    #expect(comparison.rows.map(\.title) == ["a", "b", "c"])
    #expect(comparison.changedParameters == ["m.offset", "m.silent"])
    #expect(comparison.rows[1].parameters["m.offset"] == 0.5)
    #expect(comparison.rows.map { $0.metrics["m.value"] } == [1, 1.5, nil])
    #expect(comparison.rows.map { $0.metrics["m.twice"]?.numberValue } == [2, 3, 2])
    #expect(comparison.rows.map { $0.metrics["n.value"] } == [9, 9, 9])
    #expect(comparison.changedMetrics == ["m.group.n", "m.twice", "m.value", "m.word"])
    let order = try comparison.sorted(by: "m.value", ascending: false).rows.map(\.title)
    #expect(order == ["b", "a", "c"])
    #expect(try comparison.sorted(by: "m.value", ascending: true).rows.map(\.title) == ["a", "b", "c"])
    let misspelt = #expect(throws: PipelineError.self) { try comparison.sorted(by: "m.valu", ascending: false) }
    #expect(misspelt?.message.contains("did you mean 'm.value'?") == true)
    #expect(try comparison.filtered(by: [("m.silent", "true")]).rows.map(\.title) == ["c"])
  }

  @Test("runs of a pipeline are grouped by seed, with mean and standard deviation over them")
  func bySeed() throws {
    let bench = try Self.bench()
    for seed in [1, 2, 4] as [UInt64] { try bench.run(Self.single, named: nil, seed: seed) }
    // Cached, and the same as the first: it counts once.
    try bench.run(Self.single, named: nil, seed: 1)
    let comparison = try ComparedRuns(stores: [bench.store()]).compare(pipeline: "one", by: "seed")
    let grouped = try GroupedComparison(comparison, by: "seed")
    #expect(grouped.groups.map(\.value) == ["1", "2", "4"] && grouped.others.isEmpty)
    #expect(grouped.groups.map { $0.summary("m.value").mean } == [1, 2, 4])
    let all = MetricSummary(comparison.rows.compactMap { $0.metrics["m.value"] })
    #expect(all.mean == 7.0 / 3 && abs(all.deviation! - 1.5275252316519468) < 1e-12)
    #expect(all.text == "2.3333 ± 1.5275 (3)")
    let unknown = #expect(throws: PipelineError.self) {
      try ComparedRuns(stores: [bench.store()]).compare(pipeline: "ones", by: "seed")
    }
    #expect(unknown?.message.contains("did you mean 'one'?") == true)
  }

  @Test("elements of a fanned-out stage are rows, also of stages that do not read the element")
  func byElement() throws {
    let bench = try Self.bench()
    for seed in [1, 2] as [UInt64] {
      let result = try bench.run(Self.grid, named: nil, seed: seed)
      #expect(result.root != nil, "\(result.failures)")
    }
    let runs = try ComparedRuns(stores: [bench.store()])
    let comparison = try runs.compare(pipeline: "grid", by: "rate")
    try #require(comparison.rows.count == 6)
    #expect(comparison.rows.allSatisfy { $0.metrics["m.value"] == $0.metrics["j.judged"] })
    let grouped = try GroupedComparison(comparison, by: "rate")
    #expect(grouped.groups.map(\.value) == [0.5, 1])
    #expect(grouped.groups.map { $0.summary("j.judged").numbers.sorted() } == [[1.5, 1.5, 2.5, 2.5], [2, 3]])
    #expect(grouped.others.map(\.name) == ["depth", "seed"])
    // Of whole runs there are the least, the mean and the largest.
    let whole = try runs.compare(pipeline: "grid")
    try #require(whole.rows.count == 2)
    #expect(whole.rows[0].metrics["m.value least"]?.numberValue == 1.5)
    #expect(whole.rows[1].metrics["m.value most"]?.numberValue == 3 && whole.rows[0].metrics["m.value"] == nil)
    #expect(whole.changedParameters == ["seed"])
  }

  @Test("instances of a matrix are rows by the values in their names, also across stages and runs")
  func byMatrix() throws {
    let bench = try Self.bench()
    let text = """
      pipeline: sweep
      stages:
        train:
          uses: command
          matrix: { seed: [1, 2], rate: [0.5, 1] }
          with:
            run: 'printf "{\\"score\\": %s}" $PARAMETER_rate > m.json'
            tools: [printf]
            parameters: { depth: 3 }
            metrics: m.json
        judge:
          uses: judge
          matrix: train
          needs: { metrics: train.metrics }
      """
    try bench.run(text, named: nil)
    try bench.run(text, named: nil, settings: ["train.depth=4"])
    let runs = try ComparedRuns(stores: [bench.store()])
    let grouped = try GroupedComparison(runs.compare(pipeline: "sweep", by: "rate"), by: "rate")
    #expect(grouped.groups.map(\.value) == [0.5, 1] && grouped.groups.map(\.rows.count) == [4, 4])
    #expect(grouped.groups.map { $0.summary("train.score").mean } == [0.5, 1])
    #expect(grouped.others.map(\.name).contains("seed"))
    let seeds = try GroupedComparison(runs.compare(pipeline: "sweep", by: "seed"), by: "seed")
    #expect(seeds.groups.map(\.value) == [1, 2])
    #expect(ElementReader.values(inName: "a[2,x=1,y=b-c]") == ["x": 1, "y": "b-c"])
    #expect(ElementReader.values(inName: "a[3]").isEmpty && ElementReader.values(inName: "a").isEmpty)
  }

  @Test("runs of several stores are compared together")
  func stores() throws {
    let benches = try [1, 2].map { seed in
      let bench = try Self.bench()
      try bench.run(Self.single, named: "run-\(seed)", seed: UInt64(seed))
      return bench
    }
    // A bench removes its store at its end.
    try withExtendedLifetime(benches) {
      let runs = try ComparedRuns(stores: benches.map { try $0.store() })
      #expect(try runs.compare(["run-1", "run-2"]).rows.map { $0.metrics["m.value"] } == [1, 2])
      #expect(try runs.compare(pipeline: "one").rows.count == 2)
      #expect(throws: PipelineError.self) { try runs.compare(["run-1", "run-3"]) }
    }
  }
}
