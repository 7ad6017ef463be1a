import Determinism
import PipelineFiles
import Testing

@testable import PipelineModel

@Suite("A former name is an error that gives the new name")
struct FormerNameTests {
  struct Fit: Stage {
    struct Optimizer: Codable, Sendable, HasFormerNames {
      var baseLR = 0.1
      static let formerNames = ["rate": "base-lr"]
    }
    enum Schedule: String, Codable, CaseIterable, Sendable, HasFormerNames {
      case cosine, step
      static let formerNames = ["staircase": "step"]
    }
    struct Parameters: StageParameters, HasFormerNames {
      var steps = 6
      var optimizer = Optimizer()
      var stages: [Optimizer] = []
      var schedule = Schedule.cosine
      static let formerNames = ["rounds": "steps", "decay": "optimizer.base-lr"]
    }
    static let name = "fit", version = 1
    static let inputs = [InputPort("start", "json", optional: true)]
    static let outputs = [OutputPort("weights", "json")]
    static let formerPortNames = ["begin": "start", "model": "weights"]
    let parameters: Parameters
    func run(in context: StageContext) throws { try context.write("weights", json: parameters.steps) }
  }

  private func pipeline(_ stages: String) throws -> Pipeline {
    let registry = StageRegistry(kinds: [StageKind(Fit.self)], formerKindNames: ["train": "fit"])
    let text = "pipeline: p\nstages:\n\(stages)"
    return try Pipeline(try PipelineFile(text: text, path: "p.yaml").description(), registry: registry)
  }

  @Test(
    "applies to kinds, parameters, values and ports",
    arguments: [
      ("  a: { uses: train }", "p.yaml:3:14: error: stage kind 'train' is now called 'fit'"),
      ("  a: { uses: fit, with: { rounds: 3 } }", "p.yaml:3:27: error: parameter 'rounds' is now called 'steps'"),
      (
        "  a: { uses: fit, with: { decay: 3 } }",
        "p.yaml:3:27: error: parameter 'decay' is now called 'optimizer.base-lr'"
      ),
      (
        "  a: { uses: fit, with: { optimizer: { rate: 1 } } }",
        "p.yaml:3:40: error: parameter 'rate' is now called 'base-lr'"
      ),
      (
        "  a: { uses: fit, with: { stages: [{ rate: 1 }] } }",
        "p.yaml:3:38: error: parameter 'rate' is now called 'base-lr'"
      ),
      (
        "  a: { uses: fit, with: { schedule: staircase } }",
        "p.yaml:3:37: error: 'schedule': value 'staircase' is now called 'step'"
      ),
      (
        "  a: { uses: fit }\n  b: { uses: fit, needs: { begin: a.weights } }",
        "p.yaml:4:28: error: input 'begin' of 'fit' is now called 'start'"
      ),
      (
        "  a: { uses: fit }\n  b: { uses: fit, needs: { start: a.model } }",
        "p.yaml:4:35: error: output 'model' of 'fit' is now called 'weights'"
      ),
    ])
  func refused(stages: String, message: String) throws {
    let error = #expect(throws: PipelineError.self) { try pipeline(stages) }
    #expect(error?.description == message)
  }

  @Test("other unknown names get a hint as ever, and new names work")
  func others() throws {
    let error = #expect(throws: PipelineError.self) { try pipeline("  a: { uses: fit, with: { round: 3 } }") }
    #expect(error?.message == "unknown parameter 'round'; known: optimizer, schedule, stages, steps")
    let good = try pipeline("  a: { uses: fit, with: { steps: 3, optimizer: { base-lr: 1 }, schedule: step } }")
    #expect(good.summaries[0].parameters["steps"] == 3)
  }
}
