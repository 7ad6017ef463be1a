import Autograd
import Datasets
import Determinism
import Models
import Panoptic
import Search
import Vision

/// Thresholds of panoptic fusion (method 9). Defaults: the published program's, for images at their original size.
struct FusionParameters: Codable, Hashable, Sendable {
  enum Order: String, Codable, CaseIterable, Sendable {
    /// Confident instances by ascending area, then the others by score (method 9.1).
    case smallFirst = "small-first"
    /// All by score, as panopticapi does.
    case score
  }

  var scoreThreshold = 0.5
  var overlapThreshold = 0.5
  /// Segments with fewer pixels are left out; `areaLimit` says of which kind.
  var stuffAreaLimit = 4096
  /// Fidelity 16 and 18.
  var areaLimit = FusionAreaLimit.recommended
  var overlap = FusionOverlap.recommended
  var order = Order.smallFirst
  /// Instances above this score are ordered by area, where `order` is `small-first`.
  var confidentScore = 0.725

  var fusion: PanopticFusion {
    PanopticFusion(
      scoreThreshold: scoreThreshold, overlapThreshold: overlapThreshold, stuffAreaLimit: stuffAreaLimit,
      order: order == .score ? .scoreDescending : .smallFirst(aboveScore: confidentScore), areaLimit: areaLimit,
      overlap: overlap)
  }
}

/// Turns one image into a panoptic segmentation at its original size (method 3.4 to 3.6, 9).
struct PanopticPredictor {
  let network: PanopticNetwork
  let path: Architecture
  let categories: CategoryTable
  let fusion: PanopticFusion

  /// Evaluation draws nothing, but loaders need seeds.
  static let unusedSeeds = Seeds(kind: "evaluation", seed: 0)

  /// - Parameter batch: one image alone, since test results depend on padding (method 4.4).
  func segmentation(of batch: PanopticBatch) -> PanopticSegmentation {
    precondition(batch.examples.count == 1, "segmentation: a batch of \(batch.examples.count) images")
    let example = batch.examples[0]
    let pass = Pass(mode: .evaluation)
    let prediction = network.predict(
      pass.constant(batch.images), width: example.width, height: example.height, path: path)
    return fusion.fuse(prediction, categories: categories, width: example.image.width, height: example.image.height)
  }
}
