import Determinism
import Foundation
import PipelineFiles
import Testing

@testable import ArtifactStore
@testable import PipelineModel
@testable import PipelineRunner
@testable import Provenance

@Suite("'matrix' and lists of values run a stage once for each combination")
struct MatrixTests {
  static let sweep = """
    pipeline: sweep
    let: { seeds: [0, 1, 2] }
    stages:
      train:
        uses: command
        matrix: { seed: $seeds, rate: [0.1, 0.3], exclude: [{ seed: 0, rate: 0.3 }] }
        with:
          run: "echo $PARAMETER_seed $PARAMETER_rate $PARAMETER_depth > model"
          parameters: { depth: 3, rate: 7 }
          outputs: { model: model }
      judge:
        uses: command
        matrix: train
        needs: { model: train.model }
        with: { run: "cat model > o; echo $PARAMETER_seed >> o", tools: [cat], outputs: { o: o } }
      gather:
        uses: command
        needs: { models: train.model }
        with: { run: "cat models/* $INPUTS > o", tools: [cat], outputs: { o: o } }
      best:
        uses: command
        needs: { model: "train[seed=2,rate=0.3].model", some: "train[seed=1].model" }
        with: { run: "cat model some/* > o", tools: [cat], outputs: { o: o } }
    """

  @Test("instances are named by their values, and siblings go together")
  func names() throws {
    let bench = try Bench()
    let run = try bench.run(Self.sweep, jobs: 2)
    let labels = ["seed=0,rate=0.1", "seed=1,rate=0.1", "seed=1,rate=0.3", "seed=2,rate=0.1", "seed=2,rate=0.3"]
    #expect(run.executed == (["best", "gather"] + labels.map { "judge[\($0)]" } + labels.map { "train[\($0)]" }))
    #expect(try bench.text(Self.sweep, file: "search.yaml", "judge[seed=1,rate=0.3]", "o") == "1 0.3 3\n1\n")
    #expect(try bench.text(Self.sweep, file: "search.yaml", "best", "o") == "2 0.3 3\n1 0.1 3\n1 0.3 3\n")
    #expect(try bench.run(Self.sweep).executed == [])
  }

  @Test("a stage that takes all of them is told which is which")
  func index() throws {
    let bench = try Bench()
    try bench.run(Self.sweep)
    let text = try bench.text(Self.sweep, file: "search.yaml", "gather", "o")
    let models = "0 0.1 3\n1 0.1 3\n1 0.3 3\n2 0.1 3\n2 0.3 3\n"
    #expect(text.hasPrefix(models))
    let index = try CanonicalValue(json: Array(text.dropFirst(models.count).utf8))
    #expect(index["models"]?.arrayValue?.count == 5)
    #expect(
      index["models"]?.arrayValue?[2] == ["path": "models/2.file", "parameters": ["seed": 1, "rate": 0.3]])
    // Another order of equal artifacts is another input.
    let swapped = Self.sweep.replacingOccurrences(of: "rate: [0.1, 0.3]", with: "rate: [0.3, 0.1]")
    #expect(try bench.run(swapped).executed == ["best", "gather"])
  }

  @Test("a new value runs its own instances alone; an equal element is computed once")
  func growth() throws {
    let bench = try Bench()
    try bench.run(Self.sweep)
    let more = try bench.run(Self.sweep, settings: ["let.seeds=[0, 1, 2, 3]"], stages: ["train"])
    #expect(more.executed == ["train[seed=3,rate=0.1]", "train[seed=3,rate=0.3]"])
    let other = try bench.run(Self.sweep, settings: ["train.matrix.seed=[5, 2, 1]"], stages: ["judge"])
    #expect(
      other.executed == ["judge[seed=5,rate=0.1]", "judge[seed=5,rate=0.3]"]
        + ["train[seed=5,rate=0.1]", "train[seed=5,rate=0.3]"])
    let constant = """
      pipeline: c
      stages:
        s: { uses: evaluate, for-each: [1, 2, 3], needs: { architecture: one.model } }
        one: { uses: command, with: { run: "echo '{\\"gene\\": 4}' > o.json", outputs: { model: o.json } } }
      """
    #expect(try bench.run(constant, jobs: 2).executed.count == 2)
  }

  @Test(
    "addresses by value: all that have the values, whatever the order and the way numbers are written",
    arguments: [
      ("train[seed=2,rate=0.1]", ["train[seed=2,rate=0.1]"]), ("train[rate=0.10,seed=2]", ["train[seed=2,rate=0.1]"]),
      ("train[seed=2]", ["train[seed=2,rate=0.1]", "train[seed=2,rate=0.3]"]), ("train[1]", ["train[seed=1,rate=0.1]"]),
      ("judge[seed=0]", ["judge[seed=0,rate=0.1]", "train[seed=0,rate=0.1]"]),
      ("best", ["best", "train[seed=1,rate=0.1]", "train[seed=1,rate=0.3]", "train[seed=2,rate=0.3]"]),
    ])
  func addresses(address: String, expected: [String]) throws {
    #expect(try Bench().run(Self.sweep, stages: [address]).executed == expected)
  }

  @Test("records hold the complete parameters: executions are found by value, recomputed and repaired")
  func records() throws {
    let bench = try Bench()
    try bench.run(Self.sweep)
    let store = try bench.store()
    guard case .artifact(let model) = try Lookup(store: store).find("train[seed=1,rate=0.3].model") else {
      Issue.record("no artifact")
      return
    }
    let path = store.objectPath(model)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "1 0.3 3\n")
    var options = RunOptions()
    options.sandbox = .off
    let work = Reexecution(store: store, variables: [:], options: options)
    let report = try work.recompute(20, seed: 1)
    #expect(report.isReproduced && report.instances.count == 12)
    #expect(
      try Rerunner(planner: try bench.planner(Self.sweep), options: options).rerun(["train[seed=1]"]).instances.count
        == 2)
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    try save("1 0.9 3\n", to: path)
    let repaired = try Reexecution(store: try bench.store(), variables: [:], options: options).repair(["train[seed=1]"])
    #expect(repaired.items.count == 1 && repaired.isComplete)
    #expect(try bench.audit().isSound)
  }

  @Test("a plan compares each instance with its own last execution")
  func plan() throws {
    let bench = try Bench()
    try bench.run(Self.sweep)
    let plan = try bench.planner(Self.sweep, settings: ["train.depth=4"]).plan(stages: ["train"])
    for instance in plan.stages[0].instances {
      #expect(instance.reasons.first == "parameter depth was 3, is 4")
      #expect(instance.reasons.last?.contains("of '\(instance.name)'") == true)
    }
  }

  @Test("an instance has the parameters that it would have alone, also where all share what is under 'with'")
  func quickAndSlow() throws {
    let elements = "for-each: [{ a: 1.0, b: x }, { a: 2.5 }, { c: [1, { d: null }] }]"
    func parameters(_ with: String) throws -> [CanonicalValue] {
      let text = "pipeline: p\nstages:\n  s: { uses: command, \(elements), with: { \(with) } }"
      let pipeline = try Bench().planner(text).pipeline
      return pipeline.stages[0].variants.map(\.prepared.parameters)
    }
    let rest = "run: [echo], stdout: o, outputs: { o: o }"
    let quick = try parameters("\(rest), parameters: { z: 1, a: 0 }")
    // A mention of the element makes each instance be read for itself.
    let slow = try parameters("\(rest), parameters: { z: 1, a: 0, each: $each }")
    #expect(
      quick.map { $0["parameters"] } == [
        ["z": 1, "a": 1, "b": "x"], ["z": 1, "a": 2.5], ["z": 1, "a": 0, "c": [1, ["d": .null]]],
      ])
    for (quick, slow) in zip(quick, slow) {
      var both = (quick.objectValue ?? [:], slow.objectValue ?? [:])
      var own = both.1["parameters"]?.objectValue ?? [:]
      own["each"] = nil
      both.1["parameters"] = .object(own)
      #expect(CanonicalValue.object(both.0) == .object(both.1))
    }
  }

  @Test("'$each' is the element, in any kind of stage, also as its seed")
  func each() throws {
    let bench = try Bench()
    let text = """
      pipeline: each
      stages:
        pool: { uses: candidates, for-each: [{ genes: [4, 5], seed: 1 }, { genes: [6], seed: 2 }], with: { genes: $each.genes } }
        train: { uses: train, for-each: [3, 4], with: { seed: $each, steps: 2 } }
        words: { uses: command, for-each: [a, $$b], with: { run: [echo, $each], stdout: o, outputs: { o: o } } }
      """
    let pipeline = try bench.planner(text).pipeline
    #expect(pipeline.stages[0].variants.map { $0.prepared.parameters["genes"] } == [[4, 5], [6]])
    #expect(pipeline.stages[1].variants.map(\.seed) == [3, 4])
    #expect(pipeline.stages[1].instanceName(round: 0, slot: 1) == "train[each=4]")
    #expect(pipeline.stages[2].variants.map { $0.prepared.parameters["run"] } == [["echo", "a"], ["echo", "$b"]])
    #expect(try bench.run(text).result.root != nil)
  }

  @Test("a matrix inside a loop runs in every round")
  func loop() throws {
    let bench = try Bench()
    let text = """
      pipeline: loop
      stages:
        step:
          uses: command
          repeat: 2
          matrix: { x: [1, 2] }
          with: { run: "echo $PARAMETER_x > o", outputs: { o: o } }
        all: { uses: command, needs: { os: step.o }, with: { run: "cat os/* > o", tools: [cat], outputs: { o: o } } }
      """
    try bench.run(text)
    #expect(try bench.text(text, file: "search.yaml", "all", "o") == "1\n2\n1\n2\n")
    let plan = try bench.planner(text).plan(stages: ["step[1,x=2]"])
    #expect(plan.stages.flatMap(\.instances).map(\.name) == ["step[1,x=2]"])
  }

  @Test(
    "mistakes have a place and say what to write",
    arguments: [
      ("matrix: { seed: 3 }", "'matrix': expected a list of values for 'seed', found 3"),
      ("matrix: { seed: [] }", "'matrix': 'seed' has no values"), ("matrix: {}", "'matrix': expected axes"),
      ("matrix: { a: [1, 1] }", "two instances would be called 's[a=1]'"),
      ("matrix: { a: [1, '1'] }", "two instances would be called 's[a=1]'"),
      ("matrix: { a: [1], exclude: [{ b: 1 }] }", "'exclude': 'matrix' has no 'b'"),
      ("matrix: { a: [1], exclude: [{ a: 2 }] }", "'exclude': no combination has these values"),
      ("matrix: { a: [1], exclude: [{ a: 1 }] }", "'matrix' of stage 's' leaves no instance"),
      ("matrix: { a: [1], b: [2], include: [{ a: 3 }] }", "'include': no value for 'b'"),
      ("matrix: other", "'matrix': no stage 'other'"), ("matrix: t", "stage 't' has neither a matrix nor a list"),
      ("for-each: 3", "'for-each': expected 'stage.output' or a list, found 3"),
      ("for-each: []", "'for-each' of stage 's' leaves no instance"),
      ("{ for-each: [1], matrix: { a: [1] } }", "either 'matrix' or 'for-each'"),
      ("{ for-each: [1], needs: { x: each } }", "an element of 'matrix', or of a list in the file, is no artifact"),
      ("with2: $each", "unknown key 'with2'"),
      ("{ for-each: [[echo], [cat]], run: $each }", "all its instances must start the same programs"),
      ("run: $each", "'$each' is an element of 'matrix'"),
      ("needs: { x: 't[a=1].o' }", "only instances of a 'matrix'"),
      ("{ matrix: { a: [1, 2] }, needs: { x: 's[b=1].o' } }", "have no value 'b'"),
    ])
  func mistakes(stage: String, message: String) {
    var inner = stage.hasPrefix("{") ? String(stage.dropFirst().dropLast()) : stage
    var run = "[echo, x]"
    if let range = inner.range(of: "run: ") {
      run = inner[range.upperBound...].trimmingCharacters(in: .whitespaces)
      inner = String(inner[..<range.lowerBound]).trimmingCharacters(in: CharacterSet(charactersIn: ", "))
    }
    let text = """
      pipeline: p
      stages:
        s: { uses: command, \(inner.isEmpty ? "" : inner + ",") with: { run: \(run), stdout: o, outputs: { o: o } } }
        t: { uses: command, with: { run: [echo], stdout: o, outputs: { o: o } } }
      """
    let error = #expect(throws: PipelineError.self) {
      _ = try Pipeline(try PipelineFile(text: text, path: "p.yaml").description(), registry: TestStages.registry())
    }
    #expect(error?.message.contains(message) == true && error?.location?.line == 3, "\(String(describing: error))")
  }
}
