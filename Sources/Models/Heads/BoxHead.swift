import Autograd
import NN
import Tensors
import Vision

/// The box head (method 3.4): two hidden layers on pooled regions, then class scores and box deltas for each class.
final class BoxHead {
  private let configuration: BoxHeadConfiguration
  private let convention: BoxConvention
  private let pooler: RegionPooler
  private let hidden: [(Variable) -> Variable]
  private let scores: Linear
  private let deltas: Linear
  /// Classes of things and background.
  private let classes: Int

  /// - Parameter classes: classes of things and background.
  init(_ scope: Scope, _ configuration: NetworkConfiguration, classes: Int) {
    let head = configuration.boxHead
    self.configuration = head
    self.classes = classes
    convention = configuration.boxes.convention
    pooler = RegionPooler(configuration)
    func layer(_ scope: Scope, _ inputs: Int) -> (Variable) -> Variable {
      let linear = Linear(
        scope, inputs: inputs, outputs: head.hidden, bias: head.normGroups == 0, weight: .kaimingUniform)
      let norm = normActivation(scope.sub("norm"), channels: head.hidden, groups: head.normGroups, hasReLU: true)
      return { norm(linear($0)) }
    }
    let inputs = configuration.pyramidChannels * head.pooledSize * head.pooledSize
    hidden = [layer(scope.sub("hidden1"), inputs), layer(scope.sub("hidden2"), head.hidden)]
    scores = Linear(
      scope.sub("scores"), inputs: head.hidden, outputs: classes, bias: true,
      weight: .normal(standardDeviation: 0.01))
    deltas = Linear(
      scope.sub("deltas"), inputs: head.hidden, outputs: 4 * classes, bias: true,
      weight: .normal(standardDeviation: 0.001))
  }

  private var coder: BoxCoder { BoxCoder(weights: (10, 10, 5, 5), convention: convention) }

  /// - Parameter regions: `[R, C, s, s]`.
  /// - Returns: scores `[R, classes]` before softmax, deltas `[R, 4 · classes]`.
  func predictions(_ regions: Variable) -> (scores: Variable, deltas: Variable) {
    let flat = reshape(regions, [regions.shape[0], regions.shape.count(from: 1)])
    let features = hidden.reduce(flat) { $1($0) }
    return (scores(features), deltas(features))
  }

  /// Cross-entropy of all samples, and smooth L1 of those that are matched to an object.
  /// - Parameter levels: P2 to P5, perhaps more.
  func losses(_ levels: [Variable], _ samples: [RegionSample]) -> (classification: Variable, box: Variable) {
    let pooled = pooler.pool(samples.map(\.region), from: levels, size: configuration.pooledSize)
    let (scores, deltas) = predictions(pooled.features)
    let coder = coder
    var labels: [Int32] = []
    var indices: [Int32] = []
    var wanted: [Float] = []
    for (row, i) in pooled.order.enumerated() {
      guard let object = samples[i].object else {
        labels.append(0)
        continue
      }
      labels.append(Int32(object.label))
      let target = coder.encode(object.box, relativeTo: samples[i].region.box)
      wanted += [target.dx, target.dy, target.dw, target.dh]
      let first = row * deltas.shape[1] + object.label * 4
      indices += (first..<first + 4).map(Int32.init)
    }
    let classification = crossEntropy(scores, labels: labels, ignoring: -1)
    let box = smoothL1(
      gather(deltas, at: indices), targets: Tensor(wanted, shape: [wanted.count]),
      beta: configuration.smoothL1Beta, divisor: Double(max(1, samples.count)))
    return (classification, box)
  }

  /// Objects among the proposals of one image, without masks: class by class, inside a class in the order of the
  /// proposals.
  ///
  /// - Parameters:
  ///   - levels: P2 to P5 of one image, perhaps more.
  ///   - width, height: before padding.
  func detections(_ proposals: [Box], levels: [Variable], width: Int, height: Int) -> [ImagePrediction.Detection] {
    guard !proposals.isEmpty else { return [] }
    let pooled = pooler.pool(
      proposals.map { Region(image: 0, box: $0) }, from: levels, size: configuration.pooledSize)
    let (scores, deltas) = predictions(pooled.features)
    let probabilities = softmax(scores)
    // Row of every proposal, so that the proposals can be walked in their own order.
    var rows = [Int](repeating: 0, count: proposals.count)
    for (row, i) in pooled.order.enumerated() { rows[i] = row }
    let coder = coder
    let suppression = NonMaximumSuppression(threshold: configuration.nmsIoUThreshold, convention: convention)
    var found: [ImagePrediction.Detection] = []
    for label in 1..<classes {
      var candidates: [Box] = []
      var candidateScores: [Float] = []
      for (i, row) in rows.enumerated() {
        let score = probabilities.value[flat: row * classes + label]
        guard score > configuration.scoreThreshold else { continue }
        let first = (row * classes + label) * 4
        func delta(_ k: Int) -> Float { deltas.value[flat: first + k] }
        let box = coder.decode(BoxCoder.Deltas(delta(0), delta(1), delta(2), delta(3)), relativeTo: proposals[i])
        candidates.append(box.clipped(width: width, height: height, convention))
        candidateScores.append(score)
      }
      for i in suppression.keptInInputOrder(candidates, scores: candidateScores) {
        found.append(.init(label: label, score: candidateScores[i], box: candidates[i], mask: []))
      }
    }
    return best(found)
  }

  /// The best detections of an image. The cut is a score, so detections that tie with the last one stay.
  private func best(_ found: [ImagePrediction.Detection]) -> [ImagePrediction.Detection] {
    guard found.count > configuration.detectionsPerImage else { return found }
    let scores = found.map(\.score)
    let cut = scores[indicesOfLargest(scores, count: configuration.detectionsPerImage).last!]
    return found.filter { !($0.score < cut) }
  }
}

extension Shape {
  /// Elements of one entry of the first dimensions before `dimension`.
  func count(from dimension: Int) -> Int { (dimension..<rank).reduce(1) { $0 * self[$1] } }
}
