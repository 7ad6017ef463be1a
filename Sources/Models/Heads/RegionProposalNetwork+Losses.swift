import Autograd
import Determinism
import Tensors
import Vision

extension RegionProposalNetwork {
  /// Binary cross-entropy of sampled anchors, and smooth L1 of those that are matched to an object.
  ///
  /// - Parameters:
  ///   - targets: one an image, boxes in the network's convention.
  ///   - random: draws the sampled anchors, image after image.
  func losses(
    _ levels: [Level], targets: [ImageTargets], random: inout RandomStream
  ) -> (objectness: Variable, box: Variable) {
    let samples = samples(levels, targets: targets, random: &random)
    let sampled = samples.reduce(0) { $0 + $1.labels.count }
    let logits = concatenateRows(zip(levels, samples).map { gather($0.objectness, at: $1.scoreIndices) })
    let labels = Tensor(samples.flatMap(\.labels), shape: [sampled])
    let deltas = concatenateRows(zip(levels, samples).map { gather($0.deltas, at: $1.deltaIndices) })
    let wanted = samples.flatMap(\.deltas)
    let objectness = binaryCrossEntropy(logits, targets: labels)
    let box = smoothL1(
      deltas, targets: Tensor(wanted, shape: [wanted.count]), beta: configuration.smoothL1Beta,
      divisor: Double(max(1, sampled)))
    return (objectness, box)
  }

  /// The anchors that enter the losses, by level.
  private func samples(
    _ levels: [Level], targets: [ImageTargets], random: inout RandomStream
  ) -> [AnchorSamples] {
    let matcher = Matcher(
      foregroundThreshold: configuration.foregroundIoUThreshold,
      backgroundThreshold: configuration.backgroundIoUThreshold, forcesBestCandidates: true)
    let sampler = MatchSampler(count: configuration.batchPerImage, objectFraction: configuration.positiveFraction)
    let coder = BoxCoder(convention: convention)
    let anchors = levels.flatMap(\.anchors)
    // Where the anchors of each level start among all.
    let starts = levels.indices.map { levels[..<$0].reduce(0) { $0 + $1.anchors.count } }
    var samples = levels.map { _ in AnchorSamples() }
    for (image, target) in targets.enumerated() {
      var matches = matcher.match(anchors, to: target.instances.map(\.box), convention: convention)
      for i in anchors.indices where !anchors[i].isInside(width: target.width, height: target.height, convention) {
        matches[i] = .ignored
      }
      let sample = sampler.sample(matches, using: &random)
      for i in (sample.objects + sample.background).sorted() {
        let level = starts.lastIndex { $0 <= i }!
        let place = AnchorPlace(index: i - starts[level], image: image, output: levels[level].objectness.shape)
        guard let object = matches[i].objectIndex else {
          samples[level].add(place, label: 0)
          continue
        }
        samples[level].add(place, label: 1)
        samples[level].add(place, deltas: coder.encode(target.instances[object].box, relativeTo: anchors[i]))
      }
    }
    return samples
  }
}

/// Anchors of one level that enter the losses: where their predictions stand, and their targets.
private struct AnchorSamples {
  var scoreIndices: [Int32] = []
  var labels: [Float] = []
  var deltaIndices: [Int32] = []
  var deltas: [Float] = []

  mutating func add(_ place: AnchorPlace, label: Float) {
    scoreIndices.append(Int32(place.score))
    labels.append(label)
  }

  mutating func add(_ place: AnchorPlace, deltas values: BoxCoder.Deltas) {
    deltaIndices += (0..<4).map { Int32(place.delta($0)) }
    deltas += [values.dx, values.dy, values.dw, values.dh]
  }
}

/// Where the predictions for an anchor stand in the maps of its level.
private struct AnchorPlace {
  /// Element of the objectness map `[N, A, H, W]`.
  let score: Int
  private let deltaBase: Int
  private let cells: Int

  /// - Parameter index: of the anchor inside its level: cell by cell, ratios inside a cell.
  init(index: Int, image: Int, output: Shape) {
    let anchors = output[1]
    cells = output[2] * output[3]
    let (cell, anchor) = (index / anchors, index % anchors)
    score = (image * anchors + anchor) * cells + cell
    deltaBase = (image * anchors + anchor) * 4 * cells + cell
  }

  /// Element of the delta map `[N, 4A, H, W]`.
  func delta(_ i: Int) -> Int { deltaBase + i * cells }
}
