import Determinism
import Foundation
import Testing

@testable import PipelineModel

@Suite("'for-each' runs a stage once for every element of an array")
struct FanOutTests {
  private func board(_ bench: Bench, _ text: String, settings: [String] = []) throws -> CanonicalValue {
    let plan = try bench.planner(text, settings: settings).plan()
    let select = try #require(plan.stages.first { $0.name == "select" })
    let board = try #require(select.instances.first?.outputs["board"])
    return try JSONFormat.read(bench.store().objectPath(board))
  }

  @Test("results are in the order of the elements, with one job or several", arguments: [1, 3])
  func order(jobs: Int) throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search, jobs: jobs)
    #expect(try board(bench, TestPipelines.search) == [["quality": 9], ["quality": 1], ["quality": 4]])
  }

  @Test("an element evaluated before, at any position of any list, is not evaluated again")
  func reuse() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let again = try bench.run(TestPipelines.search, settings: ["pool.genes=[2, 9, 3, 3]"])
    #expect(again.executed == ["judge[1]", "pool", "select"])
    #expect(
      try board(bench, TestPipelines.search, settings: ["pool.genes=[2, 9, 3, 3]"])
        == [["quality": 4], ["quality": 81], ["quality": 9], ["quality": 9]])
  }

  @Test("equal elements of one list are executed once, also with several jobs")
  func equalElements() throws {
    let bench = try Bench()
    let run = try bench.run(TestPipelines.search, settings: ["pool.genes=[5, 5, 5]"], jobs: 3)
    #expect(run.executed.count { $0.hasPrefix("judge") } == 1)
    #expect(run.result.root != nil)
  }

  @Test("an empty array makes no instances; stages that read them get an empty list")
  func empty() throws {
    let bench = try Bench()
    #expect(
      try bench.run(TestPipelines.search, settings: ["pool.genes=[]"]).executed == ["pool", "pretrain", "select"])
    #expect(try board(bench, TestPipelines.search, settings: ["pool.genes=[]"]) == [])
  }

  @Test("a stage with the same for-each reads the instance of its own element")
  func siblings() throws {
    let bench = try Bench()
    let text = """
      pipeline: chain
      stages:
        pool: { uses: candidates }
        judge: { uses: evaluate, for-each: pool.list, needs: { architecture: each } }
        refine:
          uses: refine
          for-each: pool.list
          needs: { quality: judge.quality, architecture: each }
        select: { uses: gather, needs: { qualities: refine.refined } }
      """
    try bench.run(text, jobs: 2)
    #expect(
      try board(bench, text)
        == [
          [["quality": 1], ["gene": 1]], [["quality": 4], ["gene": 2]], [["quality": 9], ["gene": 3]],
        ])
  }

  @Test("a value that is not an array is refused")
  func notAnArray() throws {
    let bench = try Bench()
    let text = """
      pipeline: bad
      stages:
        number: { uses: halve }
        judge: { uses: evaluate, for-each: number.state, needs: { architecture: each } }
      """
    let result = try bench.run(text).result
    #expect(result.root == nil)
    #expect(result.failures.map(\.stage) == ["number"])
    #expect(result.failures[0].message.hasSuffix("for-each needs an array"))
  }
}
