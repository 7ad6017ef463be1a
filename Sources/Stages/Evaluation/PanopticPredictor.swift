import Autograd
import Datasets
import Determinism
import Models
import Panoptic
import Search
import Vision

/// Thresholds of panoptic fusion (spec 9). Defaults: the published program's, for images at their original size.
struct FusionParameters: Codable, Hashable, Sendable {
  enum Order: String, Codable, CaseIterable, Sendable {
    /// Confident instances by ascending area, then the others by score (spec 9.1).
    case smallFirst = "small-first"
    /// All by score, as panopticapi does.
    case score
  }

  var scoreThreshold = 0.5
  var overlapThreshold = 0.5
  /// Stuff below this many pixels is left out, or instances: see `areaLimit`.
  var stuffAreaLimit = 4096
  /// Register, rows 16 and 18.
  var areaLimit = FusionAreaLimit.recommended
  var overlap = FusionOverlap.recommended
  var order = Order.smallFirst
  /// Instances above this score go by area, where `order` is `small-first`.
  var confidentScore = 0.725

  var fusion: PanopticFusion {
    PanopticFusion(
      scoreThreshold: scoreThreshold, overlapThreshold: overlapThreshold, stuffAreaLimit: stuffAreaLimit,
      order: order == .score ? .scoreDescending : .smallFirst(aboveScore: confidentScore), areaLimit: areaLimit,
      overlap: overlap)
  }
}

/// A picture in, a panoptic segmentation at its original size out (spec 3.4 to 3.6, 9).
struct PanopticPredictor {
  let network: PanopticNetwork
  let path: Architecture
  let categories: CategoryTable
  let fusion: PanopticFusion

  /// Evaluation draws nothing; loaders want seeds all the same.
  static let unusedSeeds = Seeds(kind: "evaluation", seed: 0)

  /// - Parameter batch: one picture alone, since test results depend on padding (spec 4.4).
  func segmentation(of batch: PanopticBatch) -> PanopticSegmentation {
    precondition(batch.examples.count == 1, "segmentation: a batch of \(batch.examples.count) pictures")
    let example = batch.examples[0]
    let pass = Pass(mode: .evaluation)
    // Variables do not keep their pass alive.
    let seen = withExtendedLifetime(pass) {
      network.predict(
        pass.constant(batch.images), width: example.width, height: example.height, path: path)
    }
    let image = example.image
    return fusion.fuse(
      instances(seen, in: image), stuff: PanopticPredictor.stuff(seen, in: image, categories), width: image.width,
      height: image.height)
  }

  private func instances(_ seen: ImagePrediction, in image: PanopticImage) -> [InstancePrediction] {
    let pasting = MaskPasting()
    let (scaleX, scaleY) = (Float(image.width) / Float(seen.width), Float(image.height) / Float(seen.height))
    return seen.detections.filter { Double($0.score) >= fusion.scoreThreshold }.map { detection in
      InstancePrediction(
        categoryID: categories.thing(label: detection.label).id, score: Double(detection.score),
        mask: pasting.paste(
          detection.mask, size: seen.maskSize, in: detection.box.scaled(x: scaleX, y: scaleY), width: image.width,
          height: image.height))
    }
  }

  /// One mask for every stuff class that occurs, in class order; labels at the original size by nearest neighbour.
  static func stuff(
    _ seen: ImagePrediction, in image: PanopticImage, _ categories: CategoryTable
  ) -> [StuffPrediction] {
    let labels = Image(width: seen.width, height: seen.height, channels: 1, pixels: seen.semantic)
      .resized(width: image.width, height: image.height, by: .nearest).pixels
    let present = Set(labels).subtracting([0]).sorted()
    return present.map { label in
      StuffPrediction(
        categoryID: categories.stuff(label: Int(label)).id,
        mask: BinaryMask(width: image.width, height: image.height, pixels: labels.map { $0 == label ? 1 : 0 }))
    }
  }
}
