import Autograd
import NN
import Tensors
import Vision

// N images, A anchors a cell, H W rows and columns of a pyramid level.

/// The region proposal network (method 3.3): a score and a box for every anchor of P2 to P6, its losses, and the
/// proposals that the other heads look at.
final class RegionProposalNetwork {
  let configuration: ProposalConfiguration
  let convention: BoxConvention
  private let anchors: AnchorGenerator
  private let head: RegionProposalHead

  init(_ scope: Scope, _ configuration: NetworkConfiguration) {
    self.configuration = configuration.proposals
    convention = configuration.boxes.convention
    anchors = AnchorGenerator(
      levels: zip(FeaturePyramid.strides, configuration.anchors.sizes).map {
        AnchorGenerator.Level(stride: $0, sizes: [Double($1)])
      }, ratios: configuration.anchors.ratios, convention: configuration.boxes.convention)
    head = RegionProposalHead(
      scope, channels: configuration.pyramidChannels, anchorsPerCell: configuration.anchors.ratios.count)
  }

  /// Predictions for the anchors of one pyramid level.
  struct Level {
    /// `[N, A, H, W]` before the sigmoid.
    var objectness: Variable
    /// `[N, 4A, H, W]`: four channels `(dx, dy, dw, dh)` an anchor.
    var deltas: Variable
    /// Of one image: cell by cell, ratios inside a cell.
    var anchors: [Box]
  }

  /// Predictions for P2 to P6, finest first.
  func callAsFunction(_ levels: [Variable]) -> [Level] {
    head(levels).enumerated().map { index, output in
      let shape = output.objectness.shape
      return Level(
        objectness: output.objectness, deltas: output.deltas,
        anchors: anchors.anchors(level: index, gridWidth: shape[3], gridHeight: shape[2]))
    }
  }

  /// The proposals of every image of a training batch.
  func trainingProposals(_ levels: [Level], targets: [ImageTargets]) -> [[Box]] {
    configuration.limited(
      targets.enumerated().map { image, target in
        proposals(
          levels, image: image, width: target.width, height: target.height, preNMS: configuration.preNMSTrain,
          postNMS: configuration.postNMSTrain)
      })
  }

  /// The proposals of one image in testing, best first.
  /// - Parameters:
  ///   - width, height: before padding.
  func testingProposals(_ levels: [Level], width: Int, height: Int) -> [Box] {
    proposals(
      levels, image: 0, width: width, height: height, preNMS: configuration.preNMSTest,
      postNMS: configuration.postNMSTest
    ).best(configuration.postNMSTest).boxes
  }

  /// Decodes, clips and suppresses: the best of each level of one image, one list over levels.
  ///
  /// Scores stay logits: the sigmoid keeps their order. Where training has diverged, what is not a number is no
  /// proposal; the losses show it (numerics 13).
  ///
  /// - Parameters:
  ///   - image: index in the batch.
  ///   - width, height: before padding.
  ///   - preNMS: anchors of each level that are decoded.
  ///   - postNMS: proposals of each level that remain.
  func proposals(
    _ levels: [Level], image: Int, width: Int, height: Int, preNMS: Int, postNMS: Int
  ) -> Proposals {
    let coder = BoxCoder(convention: convention)
    let suppression = NonMaximumSuppression(threshold: configuration.nmsIoUThreshold, convention: convention)
    var result = Proposals(boxes: [], scores: [])
    for level in levels {
      let shape = level.objectness.shape
      let (anchorsPerCell, cells) = (shape[1], shape[2] * shape[3])
      let perImage = anchorsPerCell * cells
      // Channel-major scores, brought into the order of the anchors: cell by cell.
      let scores: [Float] = level.objectness.value.withElements { values in
        (0..<perImage).map { values[image * perImage + ($0 % anchorsPerCell) * cells + $0 / anchorsPerCell] }
      }
      var best = indicesOfLargest(scores.map { $0.isNaN ? -.infinity : $0 }, count: preNMS)
      let decoded: [Box] = level.deltas.value.withElements { values in
        best.map { index in
          let (cell, anchor) = (index / anchorsPerCell, index % anchorsPerCell)
          func delta(_ i: Int) -> Float { values[image * perImage * 4 + (anchor * 4 + i) * cells + cell] }
          return coder.decode(
            BoxCoder.Deltas(delta(0), delta(1), delta(2), delta(3)), relativeTo: level.anchors[index]
          ).clipped(width: width, height: height, convention)
        }
      }
      let usable = best.indices.filter { decoded[$0].isFinite && !scores[best[$0]].isNaN }
      let boxes = usable.map { decoded[$0] }
      best = usable.map { best[$0] }
      let kept = suppression.keptInScoreOrder(boxes, scores: best.map { scores[$0] }, limit: postNMS)
      result.boxes += kept.map { boxes[$0] }
      result.scores += kept.map { scores[best[$0]] }
    }
    return result
  }
}

/// Boxes that may hold objects.
struct Proposals {
  var boxes: [Box]
  /// Logits, one a box.
  var scores: [Float]

  /// The `count` best, best first; ties to the earlier.
  func best(_ count: Int) -> Proposals {
    let kept = indicesOfLargest(scores, count: count)
    return Proposals(boxes: kept.map { boxes[$0] }, scores: kept.map { scores[$0] })
  }
}

extension ProposalConfiguration {
  /// The boxes that training goes on with, image by image: of all images that share a limit the best `postNMSTrain`, in
  /// the order they had.
  func limited(_ found: [Proposals]) -> [[Box]] {
    let group = imagesPerLimit ?? max(1, found.count)
    return stride(from: 0, to: found.count, by: group).flatMap { first -> [[Box]] in
      let images = found[first..<min(first + group, found.count)]
      let kept = Set(indicesOfLargest(images.flatMap(\.scores), count: postNMSTrain))
      var index = -1
      return images.map { image in
        image.boxes.filter { _ in
          index += 1
          return kept.contains(index)
        }
      }
    }
  }
}
