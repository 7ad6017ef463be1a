import Determinism
import PipelineModel
import PipelineRunner
import Provenance
import Testing

/// A stage kind of a test: this type and one entry of a registry are all it needs.
private struct Shuffle: Stage {
  struct Parameters: StageParameters {
    var words = ["a", "b", "c", "d", "e"]
  }
  static let name = "shuffle", version = 1, isRandom = true
  static let summary = "puts words in a random order"
  static let outputs = [OutputPort("words", "json")]
  let parameters: Parameters

  init(parameters: Parameters) throws {
    guard !parameters.words.isEmpty else { throw ParameterError("words", "must not be empty") }
    self.parameters = parameters
  }

  func run(in context: StageContext) throws {
    var random = context.seeds.stream("order")
    try context.write("words", json: parameters.words.shuffled(using: &random))
  }
}

@Suite("A stage kind that a program adds")
struct NewStageKindTests {
  private func bench() throws -> Bench {
    let bench = try Bench()
    bench.registry = StageRegistry(kinds: [StageKind(Shuffle.self)])
    return bench
  }

  @Test("is planned, executed, cached, explained, rerun and audited like any other")
  func lifecycle() throws {
    let bench = try bench()
    let text = "pipeline: p\nstages:\n  mix: { uses: shuffle }"
    #expect(try bench.run(text).executed == ["mix"])
    #expect(try bench.run(text).executed == [])
    let plan = try bench.planner(text, settings: ["mix.words=[x, y]"]).plan()
    #expect(plan.stages[0].state == .stale)
    #expect(plan.stages[0].instances[0].reasons.first?.hasPrefix("parameter words was ") == true)
    #expect(try bench.run(text, seed: 8).executed == ["mix"])
    #expect(try Rerunner(planner: bench.planner(text), options: bench.options).rerun(["mix"]).isReproduced)
    #expect(try bench.audit(deep: true).isSound)
  }

  @Test("a mistake in its parameters is reported with its position")
  func mistakes() throws {
    let bench = try bench()
    let error = #expect(throws: PipelineError.self) {
      try bench.planner("pipeline: p\nstages:\n  mix: { uses: shuffle, with: { words: [] } }")
    }
    #expect(error?.description == "search.yaml:3:40: error: 'words': must not be empty")
  }
}
