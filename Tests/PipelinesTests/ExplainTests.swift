import Determinism
import Foundation
import Testing

@testable import PipelineModel
@testable import PipelineRunner

@Suite("Plan explains why each stage runs")
struct ExplainTests {
  /// One change of an identity, and how a plan explains it.
  private static func identity(_ change: (inout StageIdentity) -> Void = { _ in }) -> StageIdentity {
    var identity = StageIdentity(
      kind: "train", version: 3, traits: ["numerics": "1"],
      parameters: ["steps": 6, "optimizer": ["baseRate": 0.1], "widths": [8, 16]], seed: 7,
      inputs: ["data": .single(Digest(of: "a")), "list": .list([Digest(of: "b"), Digest(of: "c")])],
      observed: [:])
    change(&identity)
    return identity
  }

  struct Change: Sendable, CustomTestStringConvertible {
    let text: String
    let apply: @Sendable (inout StageIdentity) -> Void
    var testDescription: String { text }
    init(_ text: String, _ apply: @escaping @Sendable (inout StageIdentity) -> Void) {
      self.text = text
      self.apply = apply
    }

    static let all = [
      Change("version was 3, is 4") { $0.version = 4 },
      Change("trait numerics was 1, is 2") { $0.traits["numerics"] = "2" },
      Change("trait decoder was absent, is x") { $0.traits["decoder"] = "x" },
      Change("parameter steps was 6, is 8") {
        $0.parameters = ["steps": 8, "optimizer": ["baseRate": 0.1], "widths": [8, 16]]
      },
      Change("parameter optimizer.base-rate was 0.1, is 0.5") {
        $0.parameters = ["steps": 6, "optimizer": ["baseRate": 0.5], "widths": [8, 16]]
      },
      Change("parameter optimizer.LC_ALL was absent, is \"C\"") {
        $0.parameters = ["steps": 6, "optimizer": ["baseRate": 0.1, "LC_ALL": "C"], "widths": [8, 16]]
      },
      Change("parameter widths[1] was 16, is 32") {
        $0.parameters = ["steps": 6, "optimizer": ["baseRate": 0.1], "widths": [8, 32]]
      },
      Change("seed was 7, is 8") { $0.seed = 8 },
      Change("seed was 7, is none") { $0.seed = nil },
      Change("input data was \(Digest(of: "a").short), is \(Digest(of: "z").short)") {
        $0.inputs["data"] = .single(Digest(of: "z"))
      },
      Change("input data was \(Digest(of: "a").short), is absent") { $0.inputs["data"] = nil },
      Change("(1 of 2 differ: [1])") { $0.inputs["list"] = .list([Digest(of: "b"), Digest(of: "d")]) },
      Change("files of train was absent, is \(Digest(of: "f").short)") { $0.observed["train"] = Digest(of: "f") },
    ]
  }

  @Test("a changed part of a key is shown with its old and its new value", arguments: Change.all)
  func parts(change: Change) throws {
    let (old, new) = (Self.identity(), Self.identity(change.apply))
    let found = KeyDifference.own(from: old, to: new) + KeyDifference.inputs(from: old, to: new)
    try #require(found.count == 1, "\(found)")
    #expect(found[0].description.hasSuffix(change.text))
    #expect(old.key != new.key)
  }

  @Test("a stage is compared with the record that differs least, not with the newest")
  func nearest() throws {
    let bench = try Bench()
    for settings in [["pretrain.steps=6"], ["pretrain.steps=8", "pretrain.optimizer.rate=0.5"]] {
      try bench.run(TestPipelines.search, settings: settings)
    }
    try bench.run(TestPipelines.search, settings: ["pretrain.steps=3", "pretrain.mode=slow"])
    let plan = try bench.observer(TestPipelines.search, settings: ["pretrain.steps=9", "pretrain.optimizer.rate=0.5"])
      .plan()
    let pretrain = try #require(plan.stages.first { $0.name == "pretrain" }?.instances.first)
    #expect(pretrain.differences.map(\.description) == ["parameter steps was 8, is 9"])
    let store = try bench.store()
    #expect(try store.record(#require(pretrain.nearest)).identity.parameters["steps"] == 8)
    #expect(
      pretrain.reasons.last?.hasPrefix("compared with record \(pretrain.nearest!.short) of 'pretrain', 2") == true)
  }

  @Test("records of the same stage are preferred to records of other stages of its kind")
  func sameStage() throws {
    let bench = try Bench()
    let text = "pipeline: p\nstages:\n  a: { uses: train }\n  b: { uses: train, with: { steps: 7, mode: slow } }\n"
    try bench.run(text)
    let plan = try bench.observer(text, settings: ["b.steps=6"]).plan()
    let b = try #require(plan.stages.first { $0.name == "b" })
    #expect(b.instances[0].differences.map(\.description) == ["parameter steps was 7, is 6"])
  }

  @Test("among equally similar records the one of the same instance is preferred")
  func sameInstance() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    for i in 0..<3 {
      var genes = [3, 1, 2]
      genes[i] = 9
      try bench.run("pipeline: p\nstages:\n  pool: { uses: candidates, with: { genes: \(genes) } }\n")
      let plan = try bench.observer(TestPipelines.search, settings: ["pool.genes=\(genes)"]).plan()
      let instance = try #require(plan.stages.first { $0.name == "judge" }?.instances[i])
      #expect(instance.reasons.last?.contains("of 'judge[\(i)]'") == true, "\(instance.reasons)")
    }
  }

  @Test("a changed element is explained by what differs inside it")
  func element() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    try bench.run("pipeline: p\nstages:\n  pool: { uses: candidates, with: { genes: [3, 1, 9] } }\n")
    let plan = try bench.observer(TestPipelines.search, settings: ["pool.genes=[3, 1, 9]"]).plan()
    let judge = try #require(plan.stages.first { $0.name == "judge" })
    #expect(judge.instances.map(\.state) == [.cached, .cached, .stale])
    #expect(judge.instances[2].differences.map(\.part) == [.input])
    #expect(judge.instances[2].reasons[0].contains("(gene was "))
    #expect(judge.instances[2].reasons[0].hasSuffix(", is 9)"))
  }

  @Test("a waiting stage says whether it is certain to run")
  func certainty() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let changed = try bench.observer(TestPipelines.search, settings: ["pool.comment=new"]).plan()
    #expect(changed.stages.map(\.state) == [.cached, .stale, .waiting, .waiting])
    #expect(changed.stages.map(\.certainReasons) == [[], [], [], []])
    let text = TestPipelines.search.replacing("uses: evaluate", with: "uses: refine").replacing(
      "weights: pretrain.weights", with: "quality: pretrain.weights"
    ).replacing("qualities: judge.quality", with: "qualities: judge.refined")
    let other = try bench.observer(text, settings: ["pool.comment=new"]).plan()
    #expect(other.stages[2].certainReasons == [Explanation.neverRun])
    let both = """
      pipeline: p
      seed: 7
      stages:
        first: { uses: candidates, with: { comment: new } }
        second: { uses: train, needs: { start: first.list }, with: { steps: 4 } }
      """
    try bench.run(both, settings: ["first.comment=old"])
    let forced = try bench.observer(both, settings: ["second.steps=5"]).plan()
    #expect(forced.stages[1].state == .waiting)
    #expect(forced.stages[1].certainReasons.first == "parameter steps was 4, is 5")
  }

  @Test("a plan shows the time and space of past runs, and what the stages to run are expected to take")
  func cost() throws {
    let bench = try Bench()
    let none = try bench.observer(TestPipelines.search).plan()
    #expect(none.stages.allSatisfy { $0.lastCost == nil } && none.expectedCost.unknownStages == 4)
    try bench.run(TestPipelines.search)
    let done = try bench.observer(TestPipelines.search).plan()
    let judge = try #require(done.stages.first { $0.name == "judge" })
    let sizes = try judge.instances.map { try Files.status(bench.store().objectPath($0.outputs["quality"]!)).size }
    #expect(judge.lastCost?.bytes == sizes.reduce(0, +))
    #expect(done.expectedCost.cost == Plan.Cost(seconds: 0, bytes: 0))
    let select = try #require(done.stages.first { $0.name == "select" })
    let tree = try #require(select.instances[0].outputs["pictures"])
    let size = try TreeFormat.manifest(of: bench.store().objectPath(tree)).totalSize
    #expect(try #require(select.lastCost).bytes >= size)
    let stale = try bench.observer(TestPipelines.search, settings: ["pool.comment=new"]).plan()
    #expect(stale.expectedCost.unknownStages == 0)
    #expect(stale.expectedCost.cost.bytes == stale.stages.dropFirst().compactMap(\.lastCost?.bytes).reduce(0, +))
  }

  @Test("records are found without an index")
  func lostIndex() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    try Files.remove(bench.storePath + "/index")
    let plan = try bench.observer(TestPipelines.search, settings: ["pretrain.steps=8"]).plan()
    #expect(plan.stages[0].instances[0].differences.map(\.description) == ["parameter steps was 6, is 8"])
  }
}
