import Datasets
import Vision

/// How pictures reach the classifier (method 2.2). Defaults: the published settings.
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
