import Determinism
import Testing

extension EndToEndTests {
  @Suite("estimate says what a pipeline would take")
  struct EstimateTests {
    @Test("steps, images and instances are those that a run makes")
    func counts() async throws {
      let outcome = try await Program.run(["estimate", Smoke.pipeline, "--profile", "smoke", "--json"])
      #expect(outcome.code == 0, "\(outcome.everything)")
      let stages = try #require(outcome.json["stages"]?.arrayValue)
      func number(_ stage: String, _ member: String) -> Int? {
        stages.first { $0["name"]?.stringValue == stage }?[member]?.integerValue
      }
      // As the smoke profile has it; the last two by the miniature's own number of pictures.
      #expect(number("pretrain", "steps") == 4 && number("pretrain", "images") == 16)
      #expect(number("finetune", "steps") == 3 && number("finetune", "images") == 3 * 12)
      #expect(number("evaluate", "instances") == 60 && number("evaluate", "images") == 60 * (2 * 2 + 4))
      #expect(number("retrain", "images") == 4 * 2)
      #expect(number("predict", "images") == 4)
      for stage in ["pretrain", "finetune", "evaluate", "pretrain-selected", "retrain", "predict"] {
        let entry = stages.first { $0["name"]?.stringValue == stage }
        #expect((entry?["seconds"]?.numberValue ?? 0) > 0, "\(stage)")
        #expect((entry?["multiply-adds"]?.numberValue ?? 0) > 0, "\(stage)")
        #expect((number(stage, "memory") ?? 0) > 0 && (number(stage, "bytes-written") ?? 0) > 0, "\(stage)")
      }
      // The 1.3G body does not occur here, so the paper's hours do not either.
      #expect(stages.allSatisfy { $0["paper-gpu-hours"] == nil })
    }

    @Test("of ADE20K, whose data passes a conversion, as a table")
    func table() async throws {
      let pipeline = Smoke.checkout + "/pipelines/ade20k.yaml"
      let outcome = try await Program.run(["estimate", pipeline, "--profile", "smoke"])
      #expect(outcome.code == 0, "\(outcome.everything)")
      #expect(outcome.output.contains("together") && outcome.output.contains("finetune"), "\(outcome.output)")
    }
  }
}
