import Determinism
import Foundation
import Testing

@testable import CommandStages
@testable import PipelineModel
@testable import PipelineRunner

@Suite("Metrics and histories of commands")
struct MeasuredOutputTests {
  private func pipeline(_ with: String) -> String {
    "pipeline: p\nstages:\n  a: { uses: command, with: { tools: [printf], \(with) } }\n"
  }

  @Test("a command's metrics and curve become artifacts of their kinds, in one form")
  func kinds() throws {
    let bench = try Bench()
    let text = pipeline(
      #"run: 'printf "{\"b\": 1.0, \"a\": {\"ok\": true}}" > m.json; "#
        + #"printf "{\"step\": 1, \"loss\": 2, \"acc\": null}\n\n{\"step\": 3, \"acc\": 0.5}\n" > c.jsonl', "#
        + "metrics: m.json, history: c.jsonl")
    try bench.run(text)
    let plan = try bench.planner(text).plan()
    let outputs = plan.stages[0].instances[0].outputs
    #expect(outputs["metrics"]?.kind == "metrics" && outputs["history"]?.kind == "history")
    #expect(try bench.text(text, file: "search.yaml", "a", "metrics") == #"{"a":{"ok":true},"b":1}"#)
    #expect(
      try bench.text(text, file: "search.yaml", "a", "history")
        == #"{"columns":["step","acc","loss"],"rows":[[1,null,2],[3,0.5,null]],"steps":3,"steps-per-row":1,"unit":"steps"}"#
    )
    #expect(try bench.audit(deep: true).findings.isEmpty)
  }

  @Test("the key of a command without metrics is what it was, and only then")
  func keys() throws {
    let bench = try Bench()
    func parameters(_ with: String) throws -> CanonicalValue {
      try bench.planner(pipeline("run: [printf], \(with)")).pipeline.stages[0].prepared.parameters
    }
    let plain = try parameters("outputs: { o: o.txt }")
    #expect(plain["metrics"] == nil && plain["history"] == nil)
    #expect(try parameters("metrics: m.json")["metrics"] == "m.json")
  }

  @Test(
    "what is neither metric nor history is refused with its place",
    arguments: [
      (#"printf "[1]" > m.json"#, "metrics: m.json", "m.json: metrics are a JSON object"),
      (#"printf "{\"a\": {\"b\": [1]}}" > m.json"#, "metrics: m.json", "m.json: 'a.b' is a list"),
      (#"printf "{\"a\": null}" > m.json"#, "metrics: m.json", "m.json: 'a' is null"),
      (#"printf "{\"a\": NaN}" > m.json"#, "metrics: m.json", "m.json, is not JSON"),
      (#"printf "{\"loss\": 1}\n{\"loss\": NaN}\n" > c.jsonl"#, "history: c.jsonl", "c.jsonl:2: not JSON, column 10"),
      (#"printf "{\"loss\": \"x\"}\n" > c.jsonl"#, "history: c.jsonl", "c.jsonl:1: 'loss' is a string"),
      (
        #"printf "{\"step\": 2, \"a\": 1}\n{\"step\": 1, \"a\": 1}\n" > c.jsonl"#, "history: c.jsonl",
        "c.jsonl:2: step 1 after step 2"
      ),
      (#"printf "step,a\n1,x\n" > c.csv"#, "history: c.csv", "c.csv:2: 'x' under 'a' is no finite number"),
      (#"printf "step,a\n1\n" > c.csv"#, "history: c.csv", "c.csv:2: 1 cells under a header of 2"),
    ])
  func refusals(run: String, with: String, message: String) throws {
    let bench = try Bench()
    let result = try bench.run(pipeline("run: '\(run)', \(with)")).result
    #expect(result.failures.first?.message.contains(message) == true, "\(result.failures)")
  }

  @Test("an output may not have the name of declared metrics")
  func names() throws {
    let bench = try Bench()
    let error = #expect(throws: PipelineError.self) {
      try bench.planner(pipeline("run: [printf], metrics: m.json, outputs: { metrics: o.json }"))
    }
    #expect(error?.message.contains("'outputs' names an output 'metrics' as well") == true, "\(error?.message ?? "")")
  }
}

@Suite("Histories")
struct HistoryTests {
  private func history(_ text: String, isTable: Bool = false) throws -> History {
    try CurveFile.history(Array(text.utf8), isTable: isTable)
  }

  @Test("JSON lines and CSV of the same numbers give one history, whatever their order and line ends")
  func forms() throws {
    let lines = try history("{\"loss\": 0.5, \"step\": 10}\n{\"step\": 20, \"loss\": 0.25, \"acc\": 1}\n")
    let table = try history("\u{FEFF}step,acc,loss\r\n10,,0.5\r\n20,1,0.25\r\n", isTable: true)
    #expect(lines == table && lines.names == ["acc", "loss"] && lines.steps == 20)
    #expect(lines.series("acc").map(\.step) == [20])
    #expect(try history("{\"a\": 1}\n{\"a\": 2}\n").rows.map(\.step) == [1, 2])
    #expect(try history("").rows.isEmpty)
  }

  @Test("lines of one step are put together")
  func merged() throws {
    let merged = try history("{\"step\": 1, \"a\": 1}\n{\"step\": 1, \"b\": 2}\n")
    #expect(merged.rows == [History.Row(step: 1, values: [1, 2])])
    #expect(throws: CurveFile.Mistake.self) { try history("{\"step\": 1, \"a\": 1}\n{\"step\": 1, \"a\": 2}\n") }
  }

  @Test(
    "more than a thousand measurements become at most a thousand means of as many in a row",
    arguments: [1, 1000, 1001, 2500])
  func thinned(count: Int) throws {
    let text = (1...count).map { "{\"step\": \($0 * 10), \"a\": \($0)}\n" }.joined()
    let thinned = try history(text)
    let perRow = (count + 999) / 1000
    #expect(thinned.stepsPerRow == perRow && thinned.rows.count == (count + perRow - 1) / perRow)
    #expect(thinned.rows.last?.step == count * 10 && thinned.steps == count * 10)
    #expect(thinned.rows[0].values == [Double(1 + perRow) / 2])
    #expect(History(canonical: thinned.canonical) == thinned)
  }

  @Test("only what a history can hold is read as one")
  func forged() throws {
    let good = try history("{\"step\": 1, \"a\": 1}\n{\"step\": 2, \"a\": 2}\n").canonical
    #expect(History(canonical: good) != nil)
    let bad: [(String, CanonicalValue)] = [
      ("rows", .array([.array([2, 1]), .array([1, 1])])), ("rows", .array([.array([1])])),
      ("rows", .array([.array([1, "x"])])), ("columns", .array(["a", "step"])), ("columns", .array(["step", "step"])),
      ("steps-per-row", 0), ("steps", 1), ("more", 1),
    ]
    for (name, value) in bad {
      var members = good.objectValue!
      members[name] = value
      #expect(History(canonical: .object(members)) == nil, "\(name)")
    }
  }

  @Test("differences name step and column")
  func differences() throws {
    let bench = try Bench()
    let files = try ["{\"a\": 1, \"b\": 2}\n{\"a\": 3, \"b\": 4}\n", "{\"a\": 1, \"b\": 2}\n{\"a\": 3, \"b\": 5}\n"]
      .enumerated().map { i, text in
        let path = "\(bench.folder)/\(i)"
        try Files.write(history(text).canonical.canonicalBytes, to: path)
        return path
      }
    let places = try HistoryFormat().differences(between: files[0], and: files[1], limit: 9)
    #expect(places.map(\.description) == ["step 2, b: 4.0 against 5.0"])
  }
}
