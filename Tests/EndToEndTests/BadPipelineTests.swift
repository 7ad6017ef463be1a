import Foundation
import Testing

extension EndToEndTests {
  @Suite("run: refuses a malformed pipeline file before anything runs")
  struct BadPipelineTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
      let testDescription: String
      /// A line of the valid file, and its replacement.
      var old = ""
      var new = ""
      var options: [String] = []
      /// The expected message, beginning with the position.
      let says: [String]
    }

    static let good = """
      pipeline: small
      seed: 1
      stages:
        coco:
          uses: coco-miniature
          with: { scenes: { train-count: 2, validation-count: 1 } }
        split:
          uses: draw-search-split
          needs: { data: coco.data }
          with: { validation-images: 1 }

      """

    static let mistakes = [
      Mistake(
        testDescription: "unknown key of a stage", old: "uses: draw-search-split", new: "use: draw-search-split",
        says: ["small.yaml:8:5: error:", "'uses'"]),
      Mistake(
        testDescription: "unknown parameter", old: "validation-images", new: "validaton-images",
        says: ["small.yaml:10:13: error:", "'validation-images'"]),
      Mistake(
        testDescription: "unknown key of the file", old: "seed: 1", new: "sede: 1",
        says: ["small.yaml:2:1: error:", "'seed'"]),
      Mistake(
        testDescription: "a text where a number belongs", old: "validation-images: 1", new: "validation-images: one",
        says: ["small.yaml:10:32: error:", "one"]),
      Mistake(
        testDescription: "a fraction where a whole number belongs", old: "train-count: 2", new: "train-count: 2.5",
        says: ["small.yaml:6:36: error:", "2.5"]),
      Mistake(
        testDescription: "a value out of range", old: "validation-images: 1", new: "validation-images: 0",
        says: ["small.yaml:10:", "error:", "at least 1"]),
      Mistake(
        testDescription: "NaN", old: "train-count: 2", new: "crowd-probability: .nan",
        says: ["small.yaml:6:", "error:"]),
      Mistake(
        testDescription: "unknown kind", old: "coco-miniature", new: "coco-minature",
        says: ["small.yaml:5:11: error:", "'coco-miniature'"]),
      Mistake(
        testDescription: "unknown stage", old: "coco.data", new: "cocoa.data",
        says: ["small.yaml:9:20: error:", "'coco'"]),
      Mistake(
        testDescription: "unknown output", old: "coco.data", new: "coco.date",
        says: ["small.yaml:9:20: error:", "'data'"]),
      Mistake(
        testDescription: "a kind of artifact that does not fit", old: "coco.data", new: "split.split",
        says: ["small.yaml:9:20: error:", "takes tree, but 'split.split' is json"]),
      Mistake(
        testDescription: "a cycle", old: "stages:\n",
        new: """
          stages:
            one:
              uses: finetune-supernet
              needs: { data: coco.data, split: split.split, weights: two.weights }
            two:
              uses: finetune-supernet
              needs: { data: coco.data, split: split.split, weights: one.weights }

          """,
        says: ["small.yaml:4:3: error:", "one needs two needs one"]),
      Mistake(testDescription: "no YAML", old: "stages:", new: "stages: [", says: ["small.yaml:", "error:"]),
      Mistake(
        testDescription: "a stage twice", old: "  split:", new: "  coco:",
        says: ["small.yaml:4:3: error:", "'coco' is given twice"]),
      Mistake(
        testDescription: "--set of an unknown parameter", options: ["--set", "split.valdation-images=1"],
        says: ["--set split.valdation-images=1", "error:", "'validation-images'"]),
      Mistake(
        testDescription: "--set of a wrong type", options: ["--set", "split.validation-images=[1]"],
        says: ["--set split.validation-images=[1]", "error:"]),
      Mistake(
        testDescription: "an unknown profile", options: ["--profile", "smoky"], says: ["'smoky'"]),
    ]

    @Test("the message has line and column, the exit code is 65, and nothing is written", arguments: mistakes)
    func isRefused(_ mistake: Mistake) async throws {
      try await withTemporaryFolder { folder in
        let text =
          mistake.old.isEmpty ? Self.good : Self.good.replacing(mistake.old, with: mistake.new, maxReplacements: 1)
        #expect(mistake.old.isEmpty || text != Self.good)
        try text.write(toFile: folder + "/small.yaml", atomically: true, encoding: .utf8)
        for command in ["run", "plan", "status"] {
          let outcome = try await Program.run([command, "small.yaml"] + mistake.options, in: folder)
          #expect(outcome.code == 65, "\(outcome.everything)")
          for words in mistake.says {
            #expect(outcome.errors.contains(words), "expected \(words): \(outcome.errors)")
          }
          #expect(outcome.output.isEmpty)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["small.yaml"])
      }
    }

    @Test("the valid file runs")
    func goodFile() async throws {
      try await withTemporaryFolder { folder in
        try Self.good.write(toFile: folder + "/small.yaml", atomically: true, encoding: .utf8)
        let outcome = try await Program.run(["run", "small.yaml"], in: folder)
        #expect(outcome.code == 0, "\(outcome.everything)")
      }
    }

    @Test(
      "a value that a stage can't use is refused before anything runs",
      arguments: [
        ("finetune.recipe.schedule=cosin", "'recipe.schedule': unknown value 'cosin'; did you mean 'cosine'?"),
        ("finetune.recipe.replicas=2", "'recipe.replicas': must be 1"),
        ("finetune.recipe.updates=9223372036854775807", "'recipe.updates': must be in 0...1000000000"),
        ("finetune.network.heads=plain", "'network.heads': must be searched"),
        ("pretrain.backbone.family=resnet", "'backbone.family': must be one whose operators are searched"),
        ("candidates.network.attention.ratios=[]", "'network.attention.ratios': must be in 1...32, is 0"),
        ("select.network.backbone.stage-blocks=[-1, 1, 1, 1]", "'network.backbone.stage-blocks'"),
        ("pretrain.input.side=0", "'input.side': must be in 1...65536, is 0"),
        ("let.pixels.resize.shorter-side=0", "'input.resize.shorter-side': must be in 1...65536, is 0"),
        ("let.pixels.flip-probability=2", "'input.flip-probability': must be in 0...1"),
        ("let.pixels.normalization.std=[1, 0, 1]", "'input.normalization.std': needs three values"),
        ("let.images.normalization.mean=[1]", "'input.normalization.mean': needs three values"),
        ("let.images.minimum-area=2", "'input.minimum-area': must be above 0 and at most 1"),
        ("retrain.network.proposals.post-nms-train=-1", "'network.proposals.post-nms-train'"),
        ("retrain.network.box-head.detections-per-image=0", "'network.box-head.detections-per-image'"),
        ("retrain.network.level-rule.canonical-scale=0", "'network.level-rule.canonical-scale'"),
        ("let.recalibration.batches=0", "'recalibration.batches'"),
        ("let.recalibration.averaging=even", "'recalibration.averaging': unknown value 'even'"),
      ])
    func values(setting: String, message: String) async throws {
      try await withTemporaryFolder { folder in
        let outcome = try await Program.run(Smoke.arguments("plan", ["--set", setting], store: folder + "/store"))
        #expect(outcome.code == 65, "\(outcome.everything)")
        #expect(outcome.errors.contains("error: " + message), "\(outcome.everything)")
      }
    }

    @Test("a missing file exits with 65")
    func missing() async throws {
      try await withTemporaryFolder { folder in
        let outcome = try await Program.run(["run", "nowhere.yaml"], in: folder)
        #expect(outcome.code == 65)
        #expect(outcome.errors.contains("nowhere.yaml"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
      }
    }

    @Test("wrong usage exits with 64", arguments: [["run"], ["fly"], ["run", "x.yaml", "--threads", "0"], ["digest"]])
    func usage(_ arguments: [String]) async throws {
      #expect(try await Program.run(arguments).code == 64)
    }

    @Test(
      "an option that would have no effect exits with 64",
      arguments: [
        ["audit", "--profile", "smoke"], ["gc", "--seed", "3"], ["gc", "--set", "COCO=/data"],
        ["export", "abc", "x.tar", "--set", "a.b=1"], ["provenance", "abc", "--fidelity", "paper"],
        ["model", "describe", "coco", "--classifier", "--image", "64x64"],
        ["model", "describe", "detnas-coco-fpn", "--data", "ade20k"],
      ])
    func noEffect(_ arguments: [String]) async throws {
      let outcome = try await Program.run(arguments)
      let isNamed = arguments.contains { $0.hasPrefix("--") && outcome.errors.contains($0) }
      #expect(outcome.code == 64 && isNamed, "\(outcome.everything)")
    }

    @Test("an unknown instruction set is refused")
    func instructionSet() async throws {
      let outcome = try await Program.run(
        ["doctor"], environment: ["AUTOPANOPTIC_ISA": "sse9"])
      #expect(outcome.code == 64)
      #expect(outcome.errors.contains("sse9"))
    }

    @Test("the profile 'paper' is valid and names the folders it needs")
    func paper() async throws {
      try await withTemporaryFolder { folder in
        let arguments = [Smoke.pipeline, "--profile", "paper", "--store", folder + "/artifacts"]
        let plan = try await Program.run(["plan"] + arguments)
        #expect(plan.code == 65 && plan.lines.count <= 6, "\(plan.everything)")
        #expect(plan.output.contains("COCO=") && plan.output.contains("IMAGENET="), "\(plan.output)")
        #expect(plan.output.contains("9 stages depend on that: split, pretrain"), "\(plan.output)")
        #expect(plan.output.contains("to run without it: candidates") && !plan.output.contains("took"))
        let json = try await Program.run(["plan", "--json"] + arguments)
        #expect(json.code == 65 && json.json["expected"] == .null && json.json["stages"]?.arrayValue?.count == 12)
        let run = try await Program.run(["run"] + arguments)
        #expect(run.code == 65 && run.everything.contains("IMAGENET="), "\(run.everything)")
        let elsewhere = try await Program.run(["plan"] + arguments + ["--set", "COCO=/no/such/folder"])
        #expect(elsewhere.output.contains("/no/such/folder is not a folder"), "\(elsewhere.output)")
      }
    }
  }
}
