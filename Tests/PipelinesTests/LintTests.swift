import Determinism
import Foundation
import PipelineFiles
import Testing

@testable import PipelineModel

@Suite("PipelineLint finds all mistakes of a pipeline file")
struct LintTests {
  private func mistakes(_ text: String) -> [String] {
    let registry = StageRegistry(
      kinds: [
        .command, .files, .file, .folder, StageKind(Train.self), StageKind(Evaluate.self), StageKind(Candidates.self),
      ],
      traits: ["numerics": "1"])
    return PipelineLint(text: text, path: "p.yaml", registry: registry).mistakes.map { mistake in
      let place = mistake.error.location.map { "\($0.line):\($0.column)" } ?? "?"
      let only = mistake.options.isEmpty ? "" : " [\(mistake.options.joined(separator: "; "))]"
      return "\(place) \(mistake.error.message.prefix(60))\(only)"
    }
  }

  @Test("every mistake once, with the profiles in which it is one, and none that only follows from another")
  func all() {
    let found = mistakes(
      """
      pipeline: bad
      seedd: 3
      let: { net: { width: 3 } }
      stages:
        raw: { uses: folder, with: { path: x, selct: [a] } }
        train:
          uses: train
          matrix: { seed: [0, 1], exclude: [{ sed: 1 }] }
          needs: { data: raw.file }
          with: { steps: many, mode: fats, optimizer: $nett }
        eval: { uses: comand, needs: { model: train.model } }
        use:
          needs: { e: eval.o, f: train.weight, s: file:none.py }
          uses: command
          with: { run: [cat], stdout: o, outputs: { o: o }, tolls: [a] }
        last: { uses: command, needs: { u: use.o }, with: { outputs: { o: o } } }
      profiles:
        a: { use: { run: $nothing } }
        b: { trian: { x: 3 } }
      expect: { c: { 0: abc } }
      """)
    let expected = [
      "2:1 pipeline: unknown key 'seedd'; did you mean 'seed'?",
      "5:41 unknown parameter 'selct'; did you mean 'select'?",
      "8:41 'exclude': 'matrix' has no 'sed'; did you mean 'seed'?",
      "9:20 stage 'raw' has no output 'file'; did you mean 'files'?",
      "10:20 'steps': expected a whole number, found text 'many'",
      "10:32 'mode': unknown value 'fats'; did you mean 'fast'?",
      "10:49 nothing named 'nett' under the top 'let'; did you mean 'net'",
      "11:17 unknown stage kind 'comand'; did you mean 'command'?",
      "13:28 stage 'train' has no output 'weight'; did you mean 'weights'", "13:45 'file:none.py': there is no file",
      "15:55 unknown parameter 'tolls'; did you mean 'tools'?", "16:53 'run': expected a list of words",
      "18:20 nothing named 'nothing' under the top 'let'; known: net [--profile a]",
      "19:8 no stage 'trian'; did you mean 'train'? [--profile b]",
      "20:11 'expect': no profile 'c'",
    ]
    for (line, wanted) in zip(found, expected) { #expect(line.hasPrefix(String(wanted.prefix(50)))) }
    #expect(found.count == expected.count, "\(found.joined(separator: "\n"))")
  }

  @Test("a sound file has none; one that can't be read has one")
  func sound() {
    #expect(mistakes(PipelineFileTests.layered) == [])
    #expect(mistakes("pipeline: [").count == 1)
    #expect(mistakes("pipeline: p\nstages: {}\n") == ["2:9 there are no stages"])
    #expect(mistakes("") == ["0:0 the file is empty"])
  }

  @Test("the schema has all keys and kinds; every table is in the reference")
  func schema() {
    let registry = TestStages.registry()
    let schema = PipelineSchema.make(registry)
    let reference = PipelineReference.markdown(registry)
    for table in PipelineKeyTable.all {
      for key in table.keys { #expect(reference.contains("| `\(key.name)` | \(key.form) |")) }
    }
    for kind in registry.kinds.values {
      #expect(reference.contains("### `\(kind.name)`\n"))
      for name in kind.parameterNames { #expect(reference.contains("| `\(name)")) }
    }
    #expect(schema["properties"]?["stages"]?["additionalProperties"]?["$ref"] == "#/$defs/stage")
    #expect(schema["$defs"]?["stage"]?["anyOf"]?.arrayValue?.first?["allOf"]?.arrayValue?.count == registry.kinds.count)
  }

  @Test("names of parameters include those without a default")
  func names() {
    #expect(StageKind(Train.self).parameterNames == ["layer-widths", "mode", "optimizer", "steps", "stop-at-step"])
    #expect(Set(StageKind.command.parameterNames).union(["seed"]) == FreeParameters.namesOfCommand)
    for kind in [StageKind.command, .files, .file, .folder] {
      #expect(kind.parameterNames == kind.parameterSummaries.keys.sorted())
    }
  }

  @Test("random damage neither traps nor runs for ever")
  func damage() {
    var random = SystemRandomNumberGenerator()
    let text = Array(PipelineFileTests.layered.utf8)
    for _ in 0..<60 {
      var mutant = text
      for _ in 0..<4 {
        let i = Int.random(in: 0..<mutant.count, using: &random)
        mutant[i] = "{}[]:,$ax3 \n".utf8.randomElement()!
      }
      let count = mistakes(String(decoding: mutant, as: UTF8.self)).count
      #expect(count <= 200)
    }
  }
}
