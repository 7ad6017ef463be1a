import Autograd
import Determinism
import Search
import Tensors
import Vision

/// The six losses of one batch (spec 3.8).
public struct PanopticLosses {
  public var objectness: Variable
  public var proposalBox: Variable
  public var classification: Variable
  public var box: Variable
  public var mask: Variable
  public var semantic: Variable
  /// Their weighted sum, what training minimises.
  public var total: Variable

  /// Name and value of each, for progress lines and the check that they are finite.
  public var named: [(name: String, value: Float)] {
    [
      ("objectness", objectness.value.item), ("proposal box", proposalBox.value.item),
      ("class", classification.value.item), ("box", box.value.item), ("mask", mask.value.item),
      ("semantic", semantic.value.item),
    ]
  }
}

extension PanopticNetwork {
  /// Runs the network on a batch and compares with the targets.
  ///
  /// - Parameters:
  ///   - images: `[N, 3, H, W]`, zero-padded.
  ///   - targets: one an image.
  ///   - random: draws the sampled anchors and regions, image after image.
  public func losses(
    _ images: Variable, targets: [ImageTargets], path: Architecture, random: inout RandomStream
  ) -> PanopticLosses {
    let targets = boxConvention == .legacy ? targets : targets.map(\.exclusive)
    let features = features(images, path: path)
    let outputs = proposalHead(features.proposalLevels)
    let anchorBoxes = anchorBoxes(features.levels)
    let (objectness, proposalBox) = proposalLosses(
      outputs, anchors: anchorBoxes, targets: targets, random: &random)
    let samples = regionSamples(outputs, anchors: anchorBoxes, targets: targets, random: &random)
    let (classification, box) = boxLosses(features.levels, samples, targets: targets)
    let mask = maskLoss(features.levels, samples.filter { $0.instance != nil }, targets: targets, path: path)
    let labels = targets.flatMap(\.semantic)
    let semantic = crossEntropy(
      SemanticBranch.enlarged(features.semanticScores), labels: labels, ignoring: 255)
    let total = weightedSum(
      [objectness, proposalBox, classification, box, mask, semantic],
      weights: [1, 1, 1, 1, 1, configuration.semanticLossWeight])
    return PanopticLosses(
      objectness: objectness, proposalBox: proposalBox, classification: classification, box: box, mask: mask,
      semantic: semantic, total: total)
  }

  // MARK: Region proposals (spec 3.3)

  private func proposalLosses(
    _ outputs: [(objectness: Variable, deltas: Variable)], anchors: [[Box]], targets: [ImageTargets],
    random: inout RandomStream
  ) -> (objectness: Variable, box: Variable) {
    let settings = configuration.proposals
    let matcher = Matcher(
      foregroundThreshold: settings.positiveOverlap, backgroundThreshold: settings.negativeOverlap,
      forcesBestCandidates: true)
    let sampler = MatchSampler(count: settings.batchPerImage, objectFraction: settings.positiveFraction)
    let flat = Array(anchors.joined())
    // Level and index inside the level of every anchor, since outputs are kept by level.
    let starts = anchors.indices.map { anchors[..<$0].reduce(0) { $0 + $1.count } }
    var picks = outputs.map { _ in LevelPicks() }
    for (image, target) in targets.enumerated() {
      var matches = matcher.match(flat, to: target.instances.map(\.box), convention: boxConvention)
      for i in flat.indices where !flat[i].isInside(width: target.width, height: target.height, boxConvention) {
        matches[i] = .ignored
      }
      let sample = sampler.sample(matches, using: &random)
      var isObject = Set(sample.objects)
      for i in (sample.objects + sample.background).sorted() {
        let level = starts.lastIndex { $0 <= i }!
        let place = AnchorPlace(index: i - starts[level], image: image, output: outputs[level].objectness.shape)
        guard isObject.remove(i) != nil, let object = matches[i].objectIndex else {
          picks[level].add(place, label: 0)
          continue
        }
        picks[level].add(place, label: 1)
        picks[level].add(
          place, deltas: BoxCoder(convention: boxConvention).encode(target.instances[object].box, relativeTo: flat[i]))
      }
    }
    let sampled = picks.reduce(0) { $0 + $1.labels.count }
    let logits = concatenateRows(zip(outputs, picks).map { gather($0.objectness, at: $1.scoreIndices) })
    let labels = Tensor(picks.flatMap(\.labels), shape: [sampled])
    let deltas = concatenateRows(zip(outputs, picks).map { gather($0.deltas, at: $1.deltaIndices) })
    let wanted = picks.flatMap(\.deltas)
    let objectness = binaryCrossEntropy(logits, targets: labels)
    let box = smoothL1(
      deltas, targets: Tensor(wanted, shape: [wanted.count]), beta: settings.smoothL1Beta,
      divisor: Double(max(1, sampled)))
    return (objectness, box)
  }

  // MARK: Sampled regions (spec 3.4)

  /// A region that enters the losses of the heads, with what it should be.
  struct RegionSample {
    var region: Region
    /// Index of the object it is matched to; nil for background.
    var instance: Int?
  }

  private func regionSamples(
    _ outputs: [(objectness: Variable, deltas: Variable)], anchors: [[Box]], targets: [ImageTargets],
    random: inout RandomStream
  ) -> [RegionSample] {
    let settings = configuration.boxHead
    let matcher = Matcher(
      foregroundThreshold: settings.positiveOverlap, backgroundThreshold: settings.positiveOverlap,
      forcesBestCandidates: false)
    let sampler = MatchSampler(count: settings.batchPerImage, objectFraction: settings.positiveFraction)
    let candidates = configuration.proposals.limited(
      targets.enumerated().map { image, target in
        proposals(
          image: image, size: (target.width, target.height), outputs: outputs, anchors: anchors,
          preNMS: configuration.proposals.preNMSTrain, postNMS: configuration.proposals.postNMSTrain)
      })
    var samples: [RegionSample] = []
    for (image, target) in targets.enumerated() {
      let objects = target.instances.map(\.box)
      let boxes = candidates[image] + objects
      let matches = matcher.match(boxes, to: objects, convention: boxConvention)
      let sample = sampler.sample(matches, using: &random)
      for i in (sample.objects + sample.background).sorted() {
        samples.append(
          RegionSample(region: Region(image: image, box: boxes[i]), instance: matches[i].objectIndex))
      }
    }
    return samples
  }

  private func boxLosses(
    _ levels: [Variable], _ samples: [RegionSample], targets: [ImageTargets]
  ) -> (classification: Variable, box: Variable) {
    let regions = samples.map(\.region)
    let order = PooledOrder(regions, rule: levelRule)
    let (scores, deltas) = boxHead(
      pool(regions, order: order, from: levels, size: configuration.boxHead.pooledSize))
    let coder = BoxCoder(weights: (10, 10, 5, 5), convention: boxConvention)
    var labels: [Int32] = []
    var indices: [Int32] = []
    var wanted: [Float] = []
    for (row, i) in order.order.enumerated() {
      guard let index = samples[i].instance else {
        labels.append(0)
        continue
      }
      let instance = targets[samples[i].region.image].instances[index]
      labels.append(Int32(instance.label))
      let target = coder.encode(instance.box, relativeTo: samples[i].region.box)
      wanted += [target.dx, target.dy, target.dw, target.dh]
      let first = row * deltas.shape[1] + instance.label * 4
      indices += (first..<first + 4).map(Int32.init)
    }
    let classification = crossEntropy(scores, labels: labels, ignoring: -1)
    let box = smoothL1(
      gather(deltas, at: indices), targets: Tensor(wanted, shape: [wanted.count]),
      beta: configuration.boxHead.smoothL1Beta, divisor: Double(max(1, samples.count)))
    return (classification, box)
  }

  // MARK: Masks (spec 3.5)

  private func maskLoss(
    _ levels: [Variable], _ samples: [RegionSample], targets: [ImageTargets], path: Architecture
  ) -> Variable {
    // Without objects there is nothing to learn, and a mean over nothing would not be a number.
    guard !samples.isEmpty else { return levels[0].pass.constant(Tensor(scalar: 0)) }
    let regions = samples.map(\.region)
    let order = PooledOrder(regions, rule: levelRule)
    let logits = maskHead(
      pool(regions, order: order, from: levels, size: configuration.maskHead.pooledSize),
      path: choices(of: .mask, in: path))
    let size = logits.shape[2]
    let area = size * size
    var wanted: [Float] = []
    var indices: [Int32] = []
    wanted.reserveCapacity(samples.count * area)
    indices.reserveCapacity(samples.count * area)
    for (row, i) in order.order.enumerated() {
      let instance = targets[samples[i].region.image].instances[samples[i].instance!]
      wanted += instance.maskTarget(in: samples[i].region.box, size: size)
      let first = (row * logits.shape[1] + instance.label) * area
      indices += (first..<first + area).map(Int32.init)
    }
    return binaryCrossEntropy(gather(logits, at: indices), targets: Tensor(wanted, shape: [wanted.count]))
  }
}

/// Anchors of one level that enter the losses.
private struct LevelPicks {
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

/// Where the outputs of an anchor stand in the maps of its level.
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
