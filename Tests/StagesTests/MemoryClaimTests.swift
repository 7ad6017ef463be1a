import Determinism
import PipelineFiles
import Testing

@testable import Pipelines
@testable import Stages

/// What a run admits stages by is told from parameters; what `estimate` prints was measured.
@Suite("Claims of memory")
struct MemoryClaimTests {
  private static let checkout = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

  private func pipeline(_ name: String, _ profile: String) throws -> Pipeline {
    let file = try PipelineFile(path: "\(Self.checkout)/pipelines/\(name).yaml")
    return try Pipeline(file.description(profile: profile), registry: Stages.registry())
  }

  @Test(
    "are those of a measured network within a factor of two",
    arguments: [
      ("coco", "smoke"), ("coco", "miniature"), ("coco", "paper"), ("baselines", "miniature"), ("ade20k", "smoke"),
    ])
  func measured(_ name: String, _ profile: String) throws {
    let pipeline = try pipeline(name, profile)
    let claims = PipelineSites.claimedMemory(pipeline, threads: Parallel.threads)
    let stages = try PipelineEstimate(pipeline).stages
    var count = 0
    for stage in stages where stage.work?.checkpointBytes ?? 0 > 0 {
      let claim = try #require(claims[stage.name])
      let measured = stage.work?.memory ?? 0
      let ratio = Double(claim) / Double(measured)
      print("claim of \(name) \(profile) \(stage.name): \(claim >> 20) MiB, measured \(measured >> 20) MiB: \(ratio)")
      #expect(ratio > 0.5 && ratio < 2, "\(stage.name): \(claim) of \(measured)")
      count += 1
    }
    #expect(count > 0)
  }

  @Test("grow with the passes that run side by side, which are as many as threads, not more than passes")
  func threads() throws {
    let pipeline = try pipeline("coco", "miniature")
    let claims = [1, 2, 4, 1000, 2000].map { PipelineSites.claimedMemory(pipeline, threads: $0)["finetune"] ?? 0 }
    #expect(claims[0] < claims[1] && claims[1] < claims[2] && claims[2] < claims[3] && claims[3] == claims[4])
    // Passes over large pictures come one after the other.
    let paper = try self.pipeline("coco", "paper")
    let large = [1, 64].map { PipelineSites.claimedMemory(paper, threads: $0)["finetune"] }
    #expect(large[0] == large[1] && large[0] ?? 0 > 10 << 30)
  }

  @Test("come from the networks that earlier stages train, and nothing is claimed for what computes none")
  func kinds() throws {
    let claims = try PipelineSites.claimedMemory(pipeline("coco", "paper"), threads: 8)
    for stage in ["pretrain", "finetune", "evaluate", "pretrain-selected", "retrain", "predict"] {
      #expect(claims[stage] ?? 0 > 500 << 20, "\(stage)")
    }
    for stage in ["coco", "split", "candidates", "select", "quality"] { #expect(claims[stage] == nil, "\(stage)") }
  }
}
