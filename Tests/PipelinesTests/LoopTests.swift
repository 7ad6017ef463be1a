import Determinism
import Foundation
import Testing

@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("'repeat' runs the rounds of a loop one after another")
struct LoopTests {
  static let evolution = """
    pipeline: evolution
    let: { rounds: 4 }
    stages:
      breed:
        uses: breed
        repeat: $rounds
        needs: { history: earlier judge.quality }
      judge:
        uses: evaluate
        for-each: breed.genes
        needs: { architecture: each }
      rank:
        uses: gather
        repeat: breed
        needs: { qualities: judge.quality }
      select:
        uses: gather
        needs: { qualities: judge.quality }
    """

  private func value(_ bench: Bench, _ text: String, _ instance: String, _ output: String) throws -> CanonicalValue {
    let plan = try bench.planner(text).plan()
    let found = plan.stages.flatMap(\.instances).first { $0.name == instance }
    let artifact = try #require(found?.outputs[output])
    return try JSONFormat.read(bench.store().objectPath(artifact))
  }

  @Test("a round reads the results of earlier rounds", arguments: [1, 3])
  func evolution(jobs: Int) throws {
    let bench = try Bench()
    let run = try bench.run(Self.evolution, jobs: jobs)
    // The rounds propose 1 2, 3 4, 5 6, 7 8.
    let judged = (0..<4).flatMap { round in (0..<2).map { "judge[\(round),\($0)]" } }
    #expect(
      run.executed
        == ((0..<4).flatMap { ["breed[\($0)]", "rank[\($0)]"] } + judged + ["select"]).sorted())
    #expect(
      try value(bench, Self.evolution, "select", "board") == .array((1...8).map { ["quality": .integer($0 * $0)] }))
    #expect(try value(bench, Self.evolution, "rank[1]", "board") == [["quality": 9], ["quality": 16]])
    #expect(run.result.root != nil)
    #expect(try bench.audit().isSound)

    // Everything is cached, and the plan includes the rounds made at run time.
    let plan = try bench.planner(Self.evolution).plan()
    #expect(plan.root == run.result.root)
    #expect(plan.stages.first { $0.name == "judge" }?.count == 8)
    #expect(try bench.run(Self.evolution).executed == [])
  }

  @Test("more rounds keep the first ones; a repeated element is not evaluated again; an empty round makes no instances")
  func moreRounds() throws {
    let bench = try Bench()
    try bench.run(Self.evolution)
    let more = try bench.run(Self.evolution, settings: ["let.rounds=7"])
    // Round 5 proposes nothing, since the genes would exceed ten. Rounds without proposals have the same key.
    #expect(
      more.executed == ["breed[4]", "breed[5]", "judge[4,0]", "judge[4,1]", "rank[4]", "rank[5]", "select"])
    let count = try bench.planner(Self.evolution, settings: ["let.rounds=7"]).plan().stages.first { $0.name == "judge" }
    #expect(count?.count == 10)
    let fewer = try bench.run(Self.evolution, settings: ["let.rounds=2"])
    #expect(fewer.executed == ["select"])
  }

  @Test("a round reads the output of the previous round; rounds at a fixed point are cached")
  func previous() throws {
    let bench = try Bench()
    let text = """
      pipeline: halving
      stages:
        halve: { uses: halve, repeat: 8, needs: { state: previous halve.state } }
        all: { uses: gather, needs: { qualities: halve.state } }
      """
    // From 9: 4, 2, 1, 0; then 0 from 0, which is computed once.
    #expect(
      try bench.run(text).executed == ["all", "halve[0]", "halve[1]", "halve[2]", "halve[3]", "halve[4]"])
    #expect(try value(bench, text, "all", "board") == [4, 2, 1, 0, 0, 0, 0, 0])
  }

  @Test("a plan shows later rounds as waiting for earlier ones")
  func plan() throws {
    let bench = try Bench()
    try bench.run(Self.evolution, stages: ["judge[0]"])
    let plan = try bench.planner(Self.evolution).plan()
    let breed = try #require(plan.stages.first { $0.name == "breed" })
    #expect(breed.instances.map(\.name) == ["breed[0]", "breed[1]"])
    #expect(breed.instances.map(\.state) == [.cached, .stale] && breed.count == 4)
    #expect(plan.stages.first { $0.name == "judge" }?.count == nil)
    #expect(plan.stages.first { $0.name == "select" }?.state == .waiting)
  }

  @Test(
    "running one instance by its number runs what it needs and nothing else",
    arguments: [
      ("judge[1]", ["breed[0]", "breed[1]", "judge[0,0]", "judge[0,1]", "judge[1,0]", "judge[1,1]"]),
      ("judge[1,1]", ["breed[0]", "breed[1]", "judge[0,0]", "judge[0,1]", "judge[1,1]"]),
      ("judge[0,0]", ["breed[0]", "judge[0,0]"]), ("breed[0]", ["breed[0]"]),
      ("rank[0]", ["breed[0]", "judge[0,0]", "judge[0,1]", "rank[0]"]),
    ])
  func addresses(address: String, executed: [String]) throws {
    let bench = try Bench()
    #expect(try bench.run(Self.evolution, stages: [address]).executed == executed)
    let rerunner = Rerunner(planner: try bench.planner(Self.evolution), options: RunOptions())
    #expect(try rerunner.rerun([address]).isReproduced)
    #expect(try bench.planner(Self.evolution).plan(stages: [address]).stages.allSatisfy { $0.state == .cached })
  }

  @Test("one instance of a fan-out can be run alone")
  func single() throws {
    let bench = try Bench()
    #expect(try bench.run(TestPipelines.search, stages: ["judge[2]"]).executed == ["judge[2]", "pool", "pretrain"])
    #expect(try bench.run(TestPipelines.search).executed == ["judge[0]", "judge[1]", "select"])
  }

  @Test(
    "an unknown address is refused with the reason",
    arguments: [
      ("judge[9,0]", "'judge[9,0]': 'judge' has 4 rounds, numbered from 0"),
      ("select[0]", "'select[0]': 'select' runs once and has no numbered instances"),
      ("breed[0,0]", "'breed[0,0]': its instances are called such as 'breed[0]'"),
      ("juge[0]", "no stage 'juge'; did you mean 'judge'?"),
    ])
  func badAddresses(address: String, message: String) throws {
    let bench = try Bench()
    let error = #expect(throws: PipelineError.self) {
      try bench.planner(Self.evolution).plan(stages: [address])
    }
    #expect(error?.message == message)
  }

  @Test("a number beyond the elements is refused once their count is known")
  func missingElement() throws {
    let bench = try Bench()
    let result = try bench.run(TestPipelines.search, stages: ["judge[7]"]).result
    #expect(
      result.failures.map(\.message) == ["search.yaml: error: no 'judge[7]': there are 3 instances, numbered from 0"])
  }
}
