import Datasets
import Models
import Vision

/// How pictures reach the panoptic network (method 5.2). Defaults: the published settings.
struct PanopticInput: Codable, Hashable, Sendable {
  var resize = ResizeRule(shorterSide: 800, longestSide: 1333)
  /// Horizontal flip probability in training.
  var flipProbability = 0.5
  /// Order of channels, mean and deviation (fidelity 23).
  var normalization = PixelNormalization.detection
  /// Batches hold only landscape pictures or only others.
  var groupsByOrientation = true

  func loading(batch: Int) -> PanopticLoading {
    PanopticLoading(
      batchSize: batch, resize: resize, flipProbability: flipProbability, normalization: normalization,
      groupsByOrientation: groupsByOrientation)
  }
}

extension PanopticBatch {
  /// Ground-truth targets, image by image.
  var targets: [ImageTargets] {
    let plane = height * width
    return examples.enumerated().map { i, example in
      ImageTargets(
        width: example.width, height: example.height,
        semantic: semanticLabels[i * plane..<(i + 1) * plane].map(Int32.init),
        instances: example.instances)
    }
  }
}
