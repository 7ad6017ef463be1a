import Autograd
import Tensors
import Vision

/// Boxes that the proposal network puts forward, best first.
struct Proposals {
  var boxes: [Box]
  var scores: [Float]
}

extension PanopticNetwork {
  /// Anchors of all levels, finest first.
  func anchorBoxes(_ levels: [Variable]) -> [[Box]] {
    levels.indices.map { anchors.anchors(level: $0, gridWidth: levels[$0].shape[3], gridHeight: levels[$0].shape[2]) }
  }

  /// Decodes, clips and suppresses (spec 3.3): the best of each level of one image, one list over levels.
  ///
  /// Scores stay logits: the sigmoid keeps their order. Where training has diverged, what is not a number is no
  /// proposal; the losses show it (numerics rule 13).
  func proposals(
    image: Int, size: (width: Int, height: Int), outputs: [(objectness: Variable, deltas: Variable)],
    anchors: [[Box]], preNMS: Int, postNMS: Int
  ) -> Proposals {
    let coder = BoxCoder(convention: boxConvention)
    let suppression = NonMaximumSuppression(
      threshold: configuration.proposals.nmsOverlap, convention: boxConvention)
    var result = Proposals(boxes: [], scores: [])
    for (level, output) in outputs.enumerated() {
      let shape = output.objectness.shape
      let (anchorsPerCell, cells) = (shape[1], shape[2] * shape[3])
      let perImage = anchorsPerCell * cells
      // Channel-major scores, brought into the order of the anchors: cell by cell.
      let scores: [Float] = output.objectness.value.withElements { values in
        (0..<perImage).map { values[image * perImage + ($0 % anchorsPerCell) * cells + $0 / anchorsPerCell] }
      }
      var best = indicesOfLargest(scores.map { $0.isNaN ? -.infinity : $0 }, count: preNMS)
      let decoded: [Box] = output.deltas.value.withElements { values in
        best.map { index in
          let (cell, anchor) = (index / anchorsPerCell, index % anchorsPerCell)
          func delta(_ i: Int) -> Float { values[image * perImage * 4 + (anchor * 4 + i) * cells + cell] }
          return coder.decode(
            BoxCoder.Deltas(delta(0), delta(1), delta(2), delta(3)), relativeTo: anchors[level][index]
          ).clipped(width: size.width, height: size.height, boxConvention)
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

extension Proposals {
  /// The `count` best over all levels; ties to the earlier.
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
