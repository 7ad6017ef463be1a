import Datasets
import Models
import Vision

/// Preprocessing for the panoptic network (spec 5.2). Defaults: the published settings.
struct PanopticInput: Codable, Hashable, Sendable {
  var resize = ResizeRule(shorterSide: 800, longestSide: 1333)
  /// Horizontal flip probability in training.
  var flipProbability = 0.5
  /// Order of channels, mean and deviation (register, row 23).
  var normalization = PixelNormalization.detection
  /// Batches hold only landscape pictures or only others.
  var groupsByOrientation = true

  func loading(batch: Int) -> PanopticLoading {
    PanopticLoading(
      batchSize: batch, resize: resize, flipProbability: flipProbability, normalization: normalization,
      groupsByOrientation: groupsByOrientation)
  }
}

/// Preprocessing for the classifier (spec 2.2). Defaults: the published settings.
struct ClassificationInput: Codable, Hashable, Sendable {
  /// Side of the random resized crop.
  var side = 224
  /// Smallest share of a picture that a crop takes.
  var minimumArea = 0.08
  var jitter = ColourJitter()
  /// Horizontal flip probability in training.
  var flipProbability = 0.5
  var normalization = PixelNormalization.raw

  func loading(batch: Int) -> ClassificationLoading {
    ClassificationLoading(
      batchSize: batch, crop: CropAugmentation(side: side, minimumArea: minimumArea), jitter: jitter,
      flipProbability: flipProbability, normalization: normalization)
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

/// The batches of a training from whatever step it starts at, made ahead in the background.
final class BatchStream<Batch: Sendable> {
  private let start: (Int) -> Prefetcher<Batch>
  private var prefetcher: Prefetcher<Batch>?
  private var expected = 0

  /// - Parameter start: the batches from a step on.
  init(_ start: @escaping (Int) -> Prefetcher<Batch>) { self.start = start }

  /// The batch of a step.
  /// - Precondition: steps come one after the other, from any first one.
  func batch(_ step: Int) throws -> Batch {
    if prefetcher == nil {
      prefetcher = start(step)
      expected = step
    }
    precondition(step == expected, "BatchStream: step \(step) where \(expected) is next")
    expected += 1
    guard let batch = try prefetcher!.next() else { preconditionFailure("BatchStream: no batch of step \(step)") }
    return batch
  }
}
