import Determinism
import Foundation
import PipelineFiles
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner

@Suite("Free parameters of a command")
struct FreeParameterTests {
  private static func pipeline(_ with: String, top: String = "") -> String {
    """
    pipeline: p
    \(top)
    stages:
      show:
        uses: command
        with:
          run: "cat $PARAMETERS; env | grep ^PARAMETER_ | sort"
          tools: [cat, env, grep, sort]
          \(with)
          stdout: o.txt
          outputs: { o: o.txt }
    """
  }

  private static let profiles = """
    profiles:
      quick: { show: { rate: 0.5, parameters: { optimizer: { name: adam } } } }
    """

  private func bench() throws -> (Bench, String) {
    let bench = try Bench()
    return (bench, try bench.makeCheckout())
  }

  @Test("a program sees them as a file and as variables", arguments: Sandboxes.here)
  func seen(sandbox: SandboxPolicy) throws {
    let (bench, file) = try bench()
    bench.sandbox = sandbox
    let text = Self.pipeline(
      "parameters: { rate: 1e-4, deep: true, layers: [1, 2], optimizer: { name: sgd, step-size: 3 }, none: ~ }")
    try bench.run(text, file: file)
    let shown = try bench.text(text, file: file, "show", "o")
    let (json, variables) = (shown.prefix { $0 != "P" }, shown.drop { $0 != "P" })
    #expect(
      try CanonicalValue(json: Array(json.utf8)) == [
        "rate": 0.0001, "deep": true, "layers": [1, 2], "optimizer": ["name": "sgd", "step-size": 3], "none": .null,
      ])
    #expect(
      variables
        == "PARAMETER_deep=true\nPARAMETER_optimizer_name=sgd\nPARAMETER_optimizer_step_size=3\nPARAMETER_rate=0.0001\n"
    )
  }

  @Test("they are in the key as values, and a command without any has the key it always had")
  func keys() throws {
    func parameters(_ with: String) throws -> CanonicalValue {
      let description = try PipelineFile(text: Self.pipeline(with), path: "p.yaml").description()
      return try Pipeline(description, registry: TestStages.registry()).summaries[0].parameters
    }
    #expect(try parameters("parameters: { rate: 0.10 }") == parameters("parameters: { rate: 0.1 }"))
    #expect(try parameters("parameters: { rate: 0.1 }") != parameters("parameters: { rate: 0.2 }"))
    #expect(try parameters("parameters: {}") == parameters("random: false"))
    #expect(try parameters("random: false")["parameters"] == nil)
    #expect(try parameters("random: false")["elements"] == nil)
  }

  @Test(
    "profile and settings name them like the command's own, the later one first",
    arguments: [
      (nil, [], "rate=0.1 name=sgd"), ("quick", [], "rate=0.5 name=adam"),
      ("quick", ["show.rate=0.7"], "rate=0.7 name=adam"), (nil, ["show.parameters.rate=0.7"], "rate=0.7 name=sgd"),
      ("quick", ["show.parameters.rate=0.7"], "rate=0.7 name=adam"),
      (nil, ["show.optimizer.name=lion"], "rate=0.1 name=lion"), (nil, ["show.optimizer={name: x}"], "rate=0.1 name=x"),
    ] as [(String?, [String], String)])
  func overrides(profile: String?, settings: [String], expected: String) throws {
    let text = Self.pipeline("parameters: { rate: 0.1, optimizer: { name: sgd } }") + "\n" + Self.profiles
    let description = try PipelineFile(text: text, path: "p.yaml")
      .description(profile: profile, settings: settings.map { try Setting(parsing: $0) })
    let found = try Pipeline(description, registry: TestStages.registry()).summaries[0].parameters["parameters"]
    let name = found?["optimizer"]?["name"]?.stringValue ?? "?"
    #expect("rate=\(found?["rate"]?.canonicalText ?? "?") name=\(name)" == expected)
  }

  @Test(
    "a name that neither the command nor its parameters have is an error with a suggestion",
    arguments: [
      ("parameters: { rate: 1 }", "show.rat=2", "unknown parameter 'rat'; did you mean 'rate'?"),
      ("parameters: { rate: 1 }", "show.outputz=2", "unknown parameter 'outputz'; did you mean 'outputs'?"),
      ("parameters: { rate: 1 }", "show.parameters.rte=2", "no parameter 'rte'; did you mean 'rate'?"),
      ("parameters: { a: { b: 1 } }", "show.a.c=2", "no parameter 'a.c'; did you mean 'b'?"),
      ("rate: 1", nil, "unknown parameter 'rate'"),
      ("{ rate: 1, parameters: { rate: 2 } }", nil, "unknown parameter 'rate'; under 'with' it stands in 'parameters'"),
      ("parameters: [1]", nil, "'parameters': expected a mapping, found a list"),
      (
        "parameters: { a-b: 1, a_b: 2 }", nil,
        "'a-b' and 'a_b' would both be the variable PARAMETER_a_b; rename one of them"
      ),
      (
        "{ parameters: { a: 1 }, environment: { PARAMETER_a: 2 } }", nil,
        "'PARAMETER_a' is set from 'parameters'; give one of them another name"
      ),
      (
        "{ parameters: { a: 1 }, environment: { PARAMETERS: 2 } }", nil,
        "'PARAMETERS' is set from 'parameters'; give one of them another name"
      ),
    ] as [(String, String?, String)])
  func mistakes(with: String, setting: String?, message: String) throws {
    let inner = with.hasPrefix("{") ? String(with.dropFirst().dropLast()) : with
    let text = """
      pipeline: p
      stages:
        show: { uses: command, with: { run: [cat], outputs: { o: o }, \(inner) } }
      """
    let error = #expect(throws: PipelineError.self) {
      let description = try PipelineFile(text: text, path: "p.yaml")
        .description(settings: (setting.map { [$0] } ?? []).map { try Setting(parsing: $0) })
      _ = try Pipeline(description, registry: TestStages.registry())
    }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test("a plan names the one that differs")
  func plan() throws {
    let (bench, file) = try bench()
    let text = Self.pipeline("parameters: { baseRate: 0.1, version: 3 }")
    try bench.run(text, file: file)
    let plan = try bench.planner(text, file: file, settings: ["show.baseRate=0.3", "show.parameters.version=4"]).plan()
    let reasons = plan.stages[0].instances[0].reasons
    #expect(reasons.prefix(2) == ["parameter baseRate was 0.1, is 0.3", "parameter parameters.version was 3, is 4"])
  }

  @Test("names that mean the command's own parameters are those that it has")
  func names() throws {
    let own = try #require(CanonicalValue(encoding: CommandParameters.example).objectValue)
    #expect(Set(own.keys).union(["seed"]) == FreeParameters.namesOfCommand)
  }

  @Test("parameters of the project come from a file or a mapping, and only what a stage uses is in its key")
  func project() throws {
    let bench = try Bench()
    let file = try bench.makeCheckout([
      "params.yaml": "train: { rate: 0.1, note: $x }\nother: 1\n", "p.json": "{\"train\": 1}",
    ])
    let text = Self.pipeline("parameters: $train", top: "parameters: params.yaml")
    #expect(try bench.run(text, file: file).executed == ["show"])
    #expect(try bench.run(text, file: file, settings: ["parameters.other=2"]).executed == [])
    #expect(try bench.run(text, file: file, settings: ["parameters.train.rate=0.2"]).executed == ["show"])
    #expect(try bench.run(text, file: file, settings: ["show.rate=0.2"]).executed == [])
    #expect(try bench.text(text, file: file, "show", "o").contains("PARAMETER_note=$x\n"))
    let inline = Self.pipeline("parameters: { a: $train.rate }", top: "parameters: { train: { rate: 0.1 } }")
    #expect(try bench.run(inline, file: file).executed == ["show"])
    let json = Self.pipeline("parameters: { a: $train }", top: "parameters: p.json")
    #expect(try bench.run(json, file: file).executed == ["show"])
    #expect(try PipelineFile(text: text, path: file).bases == [bench.folder + "/checkout/params.yaml"])
  }

  @Test(
    "mistakes in the project's parameters have a place",
    arguments: [
      ("parameters: none.yaml", [], "p.yaml:2:13: error: 'parameters: none.yaml': cannot read the file"),
      ("parameters: ../x.yaml", [], "'parameters: ../x.yaml': must be a file in this folder or below"),
      ("parameters: { a: 1 }\nlet: { a: 2 }", [], "'$a' would be two values: 'parameters' has that name, too"),
      ("parameters: { abc: 1 }", ["parameters.abd=2"], "nothing named 'abd' under 'parameters'; did you mean 'abc'?"),
      ("parameters: { a: { b: 1 } }", ["parameters.a.c=2"], "no parameter 'a.c'; did you mean 'b'?"),
      ("parameters: { a: 1 }", ["let.a=2"], "nothing named 'a' under the top 'let'"),
      ("parameters: 3", [], "'parameters': expected the name of a file, or a mapping, found 3"),
    ] as [(String, [String], String)])
  func projectMistakes(top: String, settings: [String], message: String) throws {
    let text = Self.pipeline("random: false", top: top)
    let error = #expect(throws: PipelineError.self) {
      _ = try PipelineFile(text: text, path: "p.yaml").description(settings: settings.map { try Setting(parsing: $0) })
    }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }
}

extension CommandParameters {
  /// With a value for every member.
  fileprivate static var example: CommandParameters {
    var parameters = CommandParameters()
    (parameters.stdin, parameters.stdout, parameters.version) = ("a", "b", ["c"])
    (parameters.metrics, parameters.history) = ("m", "h")
    parameters.parameters = FreeParameters(["a": 1])
    return parameters
  }
}
