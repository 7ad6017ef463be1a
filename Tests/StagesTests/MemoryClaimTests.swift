import Determinism
import PipelineFiles
import Testing

@testable import Pipelines
@testable import Stages

/// What a run admits stages by is told from parameters; what `estimate` prints was measured.
@Suite("Claims of memory")
struct MemoryClaimTests {
  private static let checkout = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

  private static func pipeline(_ name: String, _ profile: String) throws -> Pipeline {
    let file = try PipelineFile(path: "\(checkout)/pipelines/\(name).yaml")
    return try Pipeline(file.description(profile: profile), registry: Stages.registry())
  }

  @Test("are those of a measured network within a factor of two")
  func measured() async {
    // In a process of its own: memory of all threads is counted.
    await #expect(processExitsWith: .success) {
      var count = 0
      for (name, profile) in [("coco", "smoke"), ("coco", "miniature"), ("baselines", "smoke"), ("ade20k", "smoke")] {
        let pipeline = try Self.pipeline(name, profile)
        let claims = PipelineSites.claimedMemory(pipeline, threads: Parallel.threads)
        for stage in try PipelineEstimate(pipeline).stages where stage.work?.checkpointBytes ?? 0 > 0 {
          let ratio = Double(claims[stage.name] ?? 0) / Double(stage.work?.memory ?? 0)
          precondition(ratio > 0.5 && ratio < 2, "\(name) \(profile) \(stage.name): \(ratio)")
          count += 1
        }
      }
      precondition(count >= 12)
    }
  }

  @Test("grow with the passes that run side by side, which are as many as threads, not more than passes")
  func threads() throws {
    let pipeline = try Self.pipeline("coco", "miniature")
    let claims = [1, 2, 4, 1000, 2000].map { PipelineSites.claimedMemory(pipeline, threads: $0)["finetune"] ?? 0 }
    #expect(claims[0] < claims[1] && claims[1] < claims[2] && claims[2] < claims[3] && claims[3] == claims[4])
    // Passes over large pictures come one after the other.
    let paper = try Self.pipeline("coco", "paper")
    let large = [1, 64].map { PipelineSites.claimedMemory(paper, threads: $0)["finetune"] }
    #expect(large[0] == large[1] && large[0] ?? 0 > 10 << 30)
  }

  @Test("come from the networks that earlier stages train, and nothing is claimed for what computes none")
  func kinds() throws {
    let claims = try PipelineSites.claimedMemory(Self.pipeline("coco", "paper"), threads: 8)
    for stage in ["pretrain", "finetune", "evaluate", "pretrain-selected", "retrain", "predict"] {
      #expect(claims[stage] ?? 0 > 500 << 20, "\(stage)")
    }
    for stage in ["coco", "split", "candidates", "select", "quality"] { #expect(claims[stage] == nil, "\(stage)") }
  }
}
