import Determinism
import Foundation
import NN
import Panoptic
import Tensors
import Testing

@testable import Stages

@Suite("EvaluationProgress")
struct EvaluationProgressTests {
  private func store(_ value: Float) -> ParameterStore {
    let store = ParameterStore(seeds: nil)
    _ = store.root.buffer("norm/running-mean", value: Tensor(repeating: value, shape: [3]))
    return store
  }

  private func counts(_ category: Int, _ iou: Double) -> PanopticQuality.CategoryCounts {
    PanopticQuality.CategoryCounts(
      category: category, counts: MatchCounts(iou: iou, truePositives: 2, falsePositives: 1, falseNegatives: 4))
  }

  @Test("what was saved is read back with its statistics; a state of another step or evaluation is refused")
  func restored() throws {
    let path = NSTemporaryDirectory() + "evaluation-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var progress = EvaluationProgress()
    progress.batches = 5
    progress.images = 3
    progress.counts = [[counts(1, 1.7), counts(4, 0.1)], [], [counts(0, 1.0 / 3)]]
    try progress.write(to: path, statistics: store(0.25))

    let fresh = store(0)
    let found = try EvaluationProgress(
      fileAt: path, into: fresh, batches: 5, images: 9, categories: 5, step: 8)
    #expect(found.batches == 5 && found.images == 3 && found.counts == progress.counts)
    #expect(fresh.buffers[0].value.array == [0.25, 0.25, 0.25])

    let untouched = store(0)
    for (batches, images, categories, step) in [(5, 9, 5, 7), (6, 9, 5, 8), (5, 2, 5, 8), (5, 9, 4, 8)] {
      #expect(throws: StateError.self) {
        _ = try EvaluationProgress(
          fileAt: path, into: untouched, batches: batches, images: images, categories: categories, step: step)
      }
    }
    #expect(untouched.buffers[0].value.array == [0, 0, 0])
  }
}
