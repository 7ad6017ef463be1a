import Autograd
import Determinism
import NN
import Vision

/// The heads that work on regions of interest: classes and boxes, then masks (method 3.4, 3.5).
final class RoIHeads {
  private let configuration: BoxHeadConfiguration
  private let convention: BoxConvention
  let box: BoxHead
  let mask: MaskHead

  /// - Parameters:
  ///   - root: of the network; parameters stand below `box` and `mask`.
  ///   - thingClasses: without background.
  ///   - maskChoices: operator index of every layer of the mask head of a fixed network; nil for a supernet.
  init(_ root: Scope, _ configuration: NetworkConfiguration, thingClasses: Int, maskChoices: [Int]?) {
    self.configuration = configuration.boxHead
    convention = configuration.boxes.convention
    box = BoxHead(root.sub("box"), configuration, classes: thingClasses + 1)
    mask = MaskHead(root.sub("mask"), configuration, classes: thingClasses + 1, choices: maskChoices)
  }

  /// The losses of regions that are sampled from the proposals and the objects themselves.
  ///
  /// - Parameters:
  ///   - levels: P2 to P5, perhaps more.
  ///   - proposals: one list an image.
  ///   - targets: one an image, boxes in the network's convention.
  ///   - path: operator index of every layer of the mask head.
  ///   - random: draws the sampled regions, image after image.
  func losses(
    _ levels: [Variable], proposals: [[Box]], targets: [ImageTargets], path: [Int], random: inout RandomStream
  ) -> (classification: Variable, box: Variable, mask: Variable) {
    let samples = samples(proposals, targets: targets, random: &random)
    let (classification, box) = box.losses(levels, samples)
    return (classification, box, mask.loss(levels, samples, path: path))
  }

  /// Objects of one image, boxes in the network's convention.
  ///
  /// - Parameters:
  ///   - levels: P2 to P5 of one image, perhaps more.
  ///   - width, height: before padding.
  ///   - path: operator index of every layer of the mask head.
  func detections(
    _ proposals: [Box], levels: [Variable], width: Int, height: Int, path: [Int]
  ) -> [ImagePrediction.Detection] {
    mask.masks(
      of: box.detections(proposals, levels: levels, width: width, height: height), levels: levels, path: path)
  }

  /// Cells per side of a predicted mask.
  var maskSize: Int { mask.maskSize }

  /// The regions that enter the losses: objects count as proposals, so that there are some that fit.
  func samples(
    _ proposals: [[Box]], targets: [ImageTargets], random: inout RandomStream
  ) -> [RegionSample] {
    let matcher = Matcher(
      foregroundThreshold: configuration.foregroundIoUThreshold,
      backgroundThreshold: configuration.foregroundIoUThreshold, forcesBestCandidates: false)
    let sampler = MatchSampler(count: configuration.batchPerImage, objectFraction: configuration.positiveFraction)
    var samples: [RegionSample] = []
    for (image, target) in targets.enumerated() {
      let objects = target.instances.map(\.box)
      let boxes = proposals[image] + objects
      let matches = matcher.match(boxes, to: objects, convention: convention)
      let sample = sampler.sample(matches, using: &random)
      for i in (sample.objects + sample.background).sorted() {
        samples.append(
          RegionSample(
            region: Region(image: image, box: boxes[i]), object: matches[i].objectIndex.map { target.instances[$0] }))
      }
    }
    return samples
  }
}

/// A region that enters the losses.
struct RegionSample {
  var region: Region
  /// The object it is matched to; nil for background.
  var object: GroundTruthInstance?
}
