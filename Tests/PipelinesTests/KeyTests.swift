import Determinism
import Foundation
import Testing

@testable import PipelineModel

@Suite("StageIdentity's key holds what a result depends on, and nothing else")
struct KeyTests {
  @Test("the canonical text and digest of a key are the documented ones")
  func golden() {
    let identity = StageIdentity(
      kind: "train", version: 3, traits: ["numerics": "1"], parameters: ["steps": 6, "rate": 0.1], seed: 7,
      inputs: ["data": .single(Digest(of: "a")), "list": .list([Digest(of: "b"), Digest(of: "c")])])
    // The text was written by hand, its SHA-256 computed by Python's hashlib.
    let text =
      #"{"format":2,"inputs":{"data":"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb","#
      + #""list":["3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d","#
      + #""2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6"]},"kind":"train","#
      + #""parameters":{"rate":0.1,"steps":6},"seed":"7","traits":{"numerics":"1"},"version":3}"#
    #expect(identity.canonical.canonicalText == text)
    #expect(identity.key.hex == "058db83ab85232a629eb3a54366d4127f5349c07d36a641684e698e23e11a513")
    #expect(StageIdentity(canonical: identity.canonical) == identity)
  }

  @Test("renamed stages, a moved pipeline file and a moved store rerun nothing and keep the root")
  func namesAreNotInKeys() throws {
    let bench = try Bench()
    let first = try bench.run(TestPipelines.search)
    #expect(first.executed == ["judge[0]", "judge[1]", "judge[2]", "pool", "pretrain", "select"])
    var renamed = TestPipelines.search
    for name in ["pretrain", "pool", "judge", "select"] { renamed = renamed.replacing(name, with: "new-\(name)") }
    let second = try bench.run(renamed, file: "elsewhere/other.yaml")
    #expect(second.executed == [])
    #expect(second.result.root != nil && second.result.root == first.result.root)

    let other = try Bench()
    try #require(rename(bench.storePath, other.storePath) == 0)
    #expect(try other.run(TestPipelines.search).executed == [])
  }

  @Test("an explicit default gives the same key as an omitted one")
  func defaultsAreExplicit() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let settings = ["pretrain.steps=6", "pretrain.optimizer={rate: 0.1}", "pretrain.mode=fast"]
    #expect(try bench.run(TestPipelines.search, settings: settings).executed == [])
  }

  @Test(
    "a changed parameter reruns its stage and what depends on it",
    arguments: [
      ("pretrain.steps=8", ["judge[0]", "judge[1]", "judge[2]", "pretrain"]),
      ("pretrain.optimizer.rate=0.2", ["judge[0]", "judge[1]", "judge[2]", "pretrain"]),
      ("pretrain.seed=8", ["judge[0]", "judge[1]", "judge[2]", "pretrain"]),
      ("pool.genes=[3, 1, 5]", ["judge[2]", "pool", "select"]),
    ])
  func parameters(setting: String, executed: [String]) throws {
    // 'evaluate' ignores the weights, so the board stays the same and 'select' is not rerun.
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    #expect(try bench.run(TestPipelines.search, settings: [setting]).executed == executed)
  }

  @Test("a rerun stage with an unchanged output reruns nothing after it; the root still holds the new key")
  func earlyCutoff() throws {
    let bench = try Bench()
    let before = try bench.run(TestPipelines.search)
    let after = try bench.run(TestPipelines.search, settings: ["pool.comment=other"])
    #expect(after.executed == ["pool"])
    #expect(after.result.root != before.result.root)
  }

  @Test("another seed reruns only stages that draw random numbers, another trait only stages that declare it")
  func seedsAndTraits() throws {
    let bench = try Bench()
    let before = try bench.run(TestPipelines.search)
    let other = try bench.run(TestPipelines.search, seed: 8)
    #expect(other.executed == ["judge[0]", "judge[1]", "judge[2]", "pretrain"])
    #expect(other.result.root != before.result.root)
    #expect(try bench.run(TestPipelines.search, seed: 7).result.root == before.result.root)
    bench.registry = TestStages.registry(numerics: "2")
    #expect(try bench.run(TestPipelines.search).executed == ["pretrain"])  // The same weights: cut off.
  }

  @Test("a plan says which parts of a key differ")
  func reasons() throws {
    let bench = try Bench()
    #expect(try bench.planner(TestPipelines.search).plan().stages[0].instances[0].reasons == ["never run before"])
    try bench.run(TestPipelines.search)
    #expect(try bench.planner(TestPipelines.search).plan().isUpToDate)
    let plan = try bench.planner(TestPipelines.search, seed: 9, settings: ["pretrain.optimizer.rate=0.5"]).plan()
    let pretrain = try #require(plan.stages.first { $0.name == "pretrain" })
    #expect(pretrain.state == .stale)
    #expect(
      pretrain.instances[0].reasons.prefix(2) == ["parameter optimizer.rate was 0.1, is 0.5", "seed was 7, is 9"])
    let judge = try #require(plan.stages.first { $0.name == "judge" })
    #expect(judge.state == .waiting && judge.waitsFor == ["pretrain"])
  }
}
