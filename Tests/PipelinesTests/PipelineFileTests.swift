import Determinism
import PipelineFiles
import Testing

@testable import PipelineModel

@Suite("PipelineFile reports mistakes with position and remedy, and layers parameters")
struct PipelineFileTests {
  struct Mistake: CustomTestStringConvertible, Sendable {
    let text: String
    let message: String
    var profile: String?
    var settings: [String] = []
    var testDescription: String { message }
  }

  static let mistakes = [
    Mistake(text: "", message: "p.yaml: error: the file is empty"),
    Mistake(text: "pipeline: [a", message: "p.yaml:2:1: error: not YAML: did not find expected ',' or ']'"),
    Mistake(text: "- a", message: "p.yaml:1:1: error: pipeline: expected a mapping, found a list"),
    Mistake(text: "stages: {}", message: "p.yaml:1:1: error: pipeline: the key 'pipeline' is missing"),
    Mistake(text: "pipeline: p", message: "p.yaml:1:1: error: pipeline: the key 'stages' is missing"),
    Mistake(text: "pipeline: p\nstages: {}", message: "p.yaml:2:9: error: there are no stages"),
    Mistake(
      text: "pipeline: p\nstage:\n  a: { uses: train }",
      message: "p.yaml:2:1: error: pipeline: unknown key 'stage'; did you mean 'stages'?"),
    Mistake(
      text: "pipeline: p\nseed: many\nstages:\n  a: { uses: train }",
      message: "p.yaml:2:7: error: 'seed': expected a whole number from 0, found text 'many'"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train }\n  a: { uses: train }",
      message: "p.yaml:3:3: error: the key 'a' is given twice in this mapping"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: trian }",
      message: "p.yaml:3:14: error: unknown stage kind 'trian'; did you mean 'train'?"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { use: train }",
      message: "p.yaml:3:8: error: stage 'a': unknown key 'use'; did you mean 'uses'?"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { needs: {} }",
      message: "p.yaml:3:6: error: stage 'a': the key 'uses' is missing"),
    Mistake(
      text: "pipeline: p\nstages:\n  each: { uses: train }",
      message: "p.yaml:3:3: error: 'each' can't be the name of a stage; use letters, digits and '-', "
        + "and neither 'let' nor 'each'"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, with: { step: 3 } }",
      message: "p.yaml:3:29: error: unknown parameter 'step'; did you mean 'steps'?"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, with: { optimizer: { rat: 3 } } }",
      message: "p.yaml:3:42: error: unknown parameter 'rat'; did you mean 'rate'?"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, with: { layerWidths: [3] } }",
      message: "p.yaml:3:29: error: unknown parameter 'layerWidths'; did you mean 'layer-widths'?"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, with: { steps: three } }",
      message: "p.yaml:3:36: error: 'steps': expected a whole number, found text 'three'"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, with: { steps: 1.5 } }",
      message: "p.yaml:3:36: error: 'steps': expected a whole number, found 1.5"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, with: { steps: '3' } }",
      message: "p.yaml:3:36: error: 'steps': expected a whole number, found text '3'"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, with: { steps: } }",
      message: "p.yaml:3:36: error: 'steps': expected a whole number, found nothing"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, with: { layer-widths: [1, x] } }",
      message: "p.yaml:3:47: error: 'layer-widths[1]': expected a whole number, found text 'x'"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, with: { optimizer: 3 } }",
      message: "p.yaml:3:40: error: 'optimizer': expected a mapping, found 3"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, with: { mode: fats } }",
      message: "p.yaml:3:35: error: 'mode': unknown value 'fats'; did you mean 'fast'?"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, with: { steps: -1 } }",
      message: "p.yaml:3:36: error: 'steps': must be above 0"),
    Mistake(
      text: "pipeline: p\nstages:\n  a:\n    uses: train\n    with:\n      optimizer:\n        rate: 0",
      message: "p.yaml:7:15: error: 'optimizer.rate': must be above 0"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: candidates, with: { seed: 3 } }",
      message: "p.yaml:3:34: error: stage kind 'candidates' uses no random numbers and takes no seed"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: evaluate }",
      message: "p.yaml:3:3: error: stage 'a' needs an input 'architecture' (json); add it under 'needs'"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, needs: { stat: b.list } }\n  b: { uses: candidates }",
      message: "p.yaml:3:30: error: stage kind 'train' has no input 'stat'; did you mean 'start'?"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, needs: { start: pol.list } }\n  pool: { uses: candidates }",
      message: "p.yaml:3:37: error: no stage 'pol'; did you mean 'pool'?"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, needs: { start: pool.lits } }\n  pool: { uses: candidates }",
      message: "p.yaml:3:37: error: stage 'pool' has no output 'lits'; did you mean 'list'?"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, needs: { start: pool } }\n  pool: { uses: candidates }",
      message: "p.yaml:3:37: error: 'pool': expected 'stage.output'"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, needs: { data: pool.list } }\n  pool: { uses: candidates }",
      message: "p.yaml:3:36: error: input 'data' of 'train' takes tree, but 'pool.list' is json"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: evaluate, needs: { architecture: each } }",
      message: "p.yaml:3:47: error: 'each' is the element of 'for-each', and this stage has no 'for-each'"),
    Mistake(
      text:
        "pipeline: p\nstages:\n  a: { uses: train, needs: { start: b.weights } }\n  b: { uses: train, needs: { start: a.weights } }",
      message: "p.yaml:3:3: error: stage 'a' depends on itself: a needs b needs a"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train, needs: { start: a.weights } }",
      message: "p.yaml:3:3: error: stage 'a' depends on itself: a needs a"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: halve, repeat: many }",
      message: "p.yaml:3:29: error: no stage 'many'; known: a"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: halve, repeat: 0 }",
      message: "p.yaml:3:29: error: 'repeat': 0 rounds; expected 1 to 100000"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: halve, repeat: b }\n  b: { uses: halve }",
      message: "p.yaml:3:29: error: 'b' does not define a loop: it has no 'repeat' with a number of rounds"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: halve, needs: { state: previous a.state } }",
      message: "p.yaml:3:37: error: 'previous' reads from earlier rounds of a loop, and 'a' and this stage are not in "
        + "one; 'repeat: ROUNDS' defines a loop, 'repeat: STAGE' joins it"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: halve, repeat: 2, needs: { state: earlier a.state } }",
      message: "p.yaml:3:48: error: input 'state' takes one artifact, not those of all earlier rounds; "
        + "is it 'previous a.state'?"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: halve, repeat: 2 }\n  b: { uses: halve, needs: { state: a.state } }",
      message: "p.yaml:4:37: error: input 'state' takes one artifact, but 'a' runs once a round of a loop; "
        + "give this stage 'repeat: a' to join it"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: halve, repeat: 2, needs: { state: a.state } }",
      message: "p.yaml:3:3: error: stage 'a' depends on itself: a needs a"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: folder, repeat: 2 }",
      message: "p.yaml:3:30: error: a source runs once: it can neither be fanned out nor repeated"),
    Mistake(
      text: "pipeline: p\nprofile: big\nstages:\n  a: { uses: train }",
      message: "p.yaml:2:10: error: p.yaml has no profile 'big'"),
    Mistake(
      text: "pipeline: p\nprofiles: { paper: {} }\nstages:\n  a: { uses: train }",
      message: "--profile papre: error: p.yaml has no profile 'papre'; did you mean 'paper'?", profile: "papre"),
    Mistake(
      text: "pipeline: p\nprofile: big\nprofiles: { big: { train: { steps: 3 } } }\nstages:\n  trains: { uses: train }",
      message: "p.yaml:3:20: error: no stage 'train'; did you mean 'trains'?"),
    Mistake(
      text: "pipeline: p\nprofile: big\nprofiles: { big: { a: { stepz: 3 } } }\nstages:\n  a: { uses: train }",
      message: "p.yaml:3:25: error: unknown parameter 'stepz'; did you mean 'steps'?"),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train }",
      message: "--set a.stepz=3: error: unknown parameter 'stepz'; did you mean 'steps'?",
      settings: ["a.stepz=3"]),
    Mistake(
      text: "pipeline: p\nstages:\n  a: { uses: train }",
      message: "--set b.steps=3: error: no stage 'b'; did you mean 'a'?",
      settings: ["b.steps=3"]),
    Mistake(
      text: "pipeline: p\nlet: { count: 3 }\nstages:\n  a: { uses: train, with: { steps: $cuont } }",
      message: "p.yaml:4:36: error: nothing named 'cuont' under the top 'let'; did you mean 'count'?"),
    Mistake(
      text: "pipeline: p\nlet: { x: $y, y: $x }\nstages:\n  a: { uses: train, with: { steps: $x } }",
      message: "p.yaml:2:11: error: names under 'let' refer to each other in a cycle"),
    Mistake(
      text: "pipeline: p\nlet: { count: abc }\nstages:\n  a: { uses: train, with: { steps: $count } }",
      message: "p.yaml:2:15: error: 'steps': expected a whole number, found text 'abc'"),
    Mistake(
      text: "pipeline: p\nstages:\n  a:\n    <<: { uses: train }",
      message: "p.yaml:4:5: error: merge keys are not supported; give shared values a name under 'let'"),
    Mistake(
      text: "pipeline: p\nx: &a [1]\ny: [" + String(repeating: "*a, ", count: 31) + "]",
      message: "p.yaml:3: error: more than 30 aliases ('*name'); give shared values a name under 'let'"),
    Mistake(
      text: "pipeline: p\nstages: " + String(repeating: "[", count: 80) + String(repeating: "]", count: 80),
      message: "p.yaml:2:73: error: too many values or nested too deeply; do aliases expand exponentially?"),
  ]

  @Test("each mistake is reported before anything runs", arguments: mistakes)
  func mistake(_ mistake: Mistake) {
    let error = #expect(throws: PipelineError.self) {
      let description = try PipelineFile(text: mistake.text, path: "p.yaml")
        .description(profile: mistake.profile, settings: mistake.settings.map { try Setting(parsing: $0) })
      _ = try Pipeline(description, registry: TestStages.registry())
    }
    #expect(error?.description == mistake.message)
    #expect(error?.isUserData == true)
  }

  private func parameters(_ text: String, profile: String? = nil, settings: [String] = []) throws -> CanonicalValue {
    let description = try PipelineFile(text: text, path: "p.yaml")
      .description(profile: profile, settings: settings.map { try Setting(parsing: $0) })
    return try Pipeline(description, registry: TestStages.registry()).stages[0].prepared.parameters
  }

  static let layered = """
    pipeline: p
    profile: small
    let:
      shared: { rate: 0.5, momentum: 0.9 }
      count: 4
    stages:
      a: { uses: train, with: { steps: $count, optimizer: $shared } }
    profiles:
      small: {}
      large:
        let: { count: 40, shared: { rate: 0.25 } }
        a: { mode: slow }
      other:
        a: { uses: candidates, genes: [7] }
    """

  @Test("later layers override earlier ones: defaults, 'with', profile, command line")
  func layers() throws {
    let text = PipelineFileTests.layered
    #expect(
      try parameters(text)
        == [
          "steps": 4, "optimizer": ["rate": 0.5, "momentum": 0.9], "mode": "fast", "layerWidths": [8, 16],
        ])
    #expect(
      try parameters(text, profile: "large")
        == [
          "steps": 40, "optimizer": ["rate": 0.25, "momentum": 0.9], "mode": "slow", "layerWidths": [8, 16],
        ])
    #expect(
      try parameters(text, profile: "large", settings: ["a.optimizer.rate=1e-3", "let.count=2", "a.layer-widths=[1]"])
        == [
          "steps": 2, "optimizer": ["rate": 0.001, "momentum": 0.9], "mode": "slow", "layerWidths": [1],
        ])
  }

  @Test("a profile may replace the kind of a stage and its parameters")
  func otherKind() throws {
    #expect(try parameters(PipelineFileTests.layered, profile: "other") == ["genes": [7], "comment": ""])
  }

  @Test(
    "plain words are read by the core schema of YAML 1.2",
    arguments: [
      ("yes", CanonicalValue.string("yes")), ("on", "on"), ("true", true), ("1e-4", 0.0001), ("0x1F", "0x1F"),
      ("007", 7),
      ("1_000", "1_000"), (".5", 0.5), ("'12'", "12"), ("~", .null), ("-3", -3), ("$$x", "$x"), ("12:30", "12:30"),
    ])
  func scalars(text: String, value: CanonicalValue) throws {
    let file = try PipelineFile(text: "pipeline: p\nstages:\n  a: { uses: u, with: { x: \(text) } }", path: "p.yaml")
    #expect(try file.description().stages[0].with["x"]?.plain == value)
  }
}
