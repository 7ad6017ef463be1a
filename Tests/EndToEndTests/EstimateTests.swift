import Determinism
import Testing

extension EndToEndTests {
  @Suite("estimate: the cost of a pipeline")
  struct EstimateTests {
    @Test("steps, images and instances are those of a run")
    func counts() async throws {
      let outcome = try await Program.run(["estimate", Smoke.pipeline, "--profile", "smoke", "--json"])
      #expect(outcome.code == 0, "\(outcome.everything)")
      let stages = try #require(outcome.json["stages"]?.arrayValue)
      func number(_ stage: String, _ member: String) -> Int? {
        stages.first { $0["name"]?.stringValue == stage }?[member]?.integerValue
      }
      // The numbers of the smoke profile; the last two depend on the number of images of the miniature.
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

    @Test("times of clusters fall with their nodes, down to what nodes can't share")
    func clusters() async throws {
      let options = ["--nodes", "1,4,16", "--cpus", "8", "--bandwidth", "25"]
      let outcome = try await Program.run(["estimate", Smoke.pipeline, "--profile", "smoke", "--json"] + options)
      #expect(outcome.code == 0, "\(outcome.everything)")
      let clusters = try #require(outcome.json["clusters"]?.arrayValue)
      #expect(clusters.map { $0["nodes"]?.integerValue } == [1, 4, 16] && clusters[0]["cpus"] == 8)
      func seconds(_ cluster: Int, _ stage: String) -> Double {
        let stages = clusters[cluster]["stages"]?.arrayValue ?? []
        return stages.first { $0["name"]?.stringValue == stage }?["seconds"]?.numberValue ?? 0
      }
      // Sixty instances: eight side by side on a node.
      #expect(seconds(0, "evaluate") > 2 * seconds(1, "evaluate") && seconds(1, "evaluate") > seconds(2, "evaluate"))
      // Four images: no more workers than that.
      #expect(seconds(0, "predict") > seconds(1, "predict") && seconds(1, "predict") == seconds(2, "predict"))
      let table = try await Program.run(["estimate", Smoke.pipeline, "--profile", "smoke"] + options)
      #expect(table.output.contains("16 nodes") && table.output.contains("core-hours"), "\(table.everything)")
    }

    @Test("a stage that is fanned out counts with all its instances")
    func instances() async throws {
      let outcome = try await Program.run(
        ["estimate", Smoke.checkout + "/pipelines/ranking.yaml", "--profile", "smoke", "--json"])
      #expect(outcome.code == 0, "\(outcome.everything)")
      let stages = try #require(outcome.json["stages"]?.arrayValue)
      let retrained = stages.filter { $0["kind"]?.stringValue == "retrain-architecture" }
      #expect(retrained.contains { $0["instances"]?.integerValue ?? 0 > 1 }, "\(stages)")
      for stage in retrained {
        let (instances, images) = (stage["instances"]?.integerValue ?? 0, stage["images"]?.integerValue ?? 0)
        #expect(instances > 0 && images % instances == 0 && images >= 2 * instances, "\(stage)")
      }
    }

    @Test("the estimate of ADE20K is printed as a table and includes the conversion of its data")
    func table() async throws {
      let pipeline = Smoke.checkout + "/pipelines/ade20k.yaml"
      let outcome = try await Program.run(["estimate", pipeline, "--profile", "smoke"])
      #expect(outcome.code == 0, "\(outcome.everything)")
      #expect(outcome.output.contains("total") && outcome.output.contains("finetune"), "\(outcome.output)")
    }

    static let small = """
      pipeline: large
      stages:
        imagenet: { uses: imagenet-miniature, with: { images: { class-count: 8, train-per-class: 4, validation-per-class: 1 } } }
        coco: { uses: coco-miniature, with: { scenes: { width: 64, height: 64, train-count: 8, validation-count: 2 } } }
        pretrain:
          uses: pretrain-supernet
          needs: { data: imagenet.data }
          with:
            backbone: { stem-channels: 4, stage-channels: [8, 16, 24, 32], classifier-channels: 16 }
            input: { side: 32 }
            recipe: { steps: 1, batch: 4, replicas: 1, base-rate: 0.05 }

      """

    @Test(
      "the largest parameter values are refused with their range or give an estimate",
      arguments: [
        "imagenet.images.class-count", "imagenet.images.train-per-class", "imagenet.images.side",
        "imagenet.images.validation-per-class", "coco.scenes.train-count", "coco.scenes.width", "coco.scenes.objects",
        "pretrain.backbone.stem-channels", "pretrain.backbone.classifier-channels", "pretrain.backbone.stage-channels",
        "pretrain.backbone.stage-blocks", "pretrain.input.side", "pretrain.recipe.steps", "pretrain.recipe.batch",
        "pretrain.recipe.replicas", "pretrain.recipe.base-rate", "pretrain.recipe.warmup",
      ])
    func extremes(parameter: String) async throws {
      try await withTemporaryFolder { folder in
        try Self.small.write(toFile: folder + "/p.yaml", atomically: true, encoding: .utf8)
        let isList = ["stage-channels", "stage-blocks", "objects"].contains { parameter.hasSuffix($0) }
        let values =
          isList
          ? [
            "[4, 65534, 65534, 65536]", "[65530, 65532, 65534, 65536]", "[8, 16, 24, 9223372036854775807]",
            "[1001, 1, 1, 1]", "{minimum: 0, maximum: 9223372036854775807}",
          ] : ["9223372036854775807", "65536", "-1", "1e300"]
        for value in values {
          let outcome = try await Program.run(
            ["estimate", "p.yaml", "--json", "--set", "\(parameter)=\(value)"], in: folder, limit: .seconds(120))
          #expect(outcome.code == 0 || outcome.code == 65, "\(parameter)=\(value): \(outcome.everything)")
        }
      }
    }
  }
}
