import Autograd
import Search
import Tensors
import Vision

/// What the network says about one image, in pixels of its own (resized) input.
public struct ImagePrediction: Sendable {
  public struct Detection: Sendable {
    /// Network label, 1 for the first thing class.
    public var label: Int
    public var score: Float
    /// Both corners are pixels of the box, whatever the network's own convention.
    public var box: Box
    /// `maskSize²` probabilities inside the box, row-major.
    public var mask: [Float]
  }

  /// Class by class, inside a class in the order of the proposals (spec 3.4).
  public var detections: [Detection]
  public var maskSize: Int
  /// Most probable semantic label of every pixel of the unpadded input, row-major: 0 any thing, 1... stuff.
  public var semantic: [UInt8]
  public var width: Int
  public var height: Int
}

extension PanopticNetwork {
  /// Sees one image (spec 3.3 to 3.6, rows "test").
  ///
  /// - Parameters:
  ///   - image: `[1, 3, H, W]`, padded; in a pass of mode `.evaluation`.
  ///   - width: width before padding.
  ///   - height: height before padding.
  public func predict(_ image: Variable, width: Int, height: Int, path: Architecture) -> ImagePrediction {
    precondition(image.shape[0] == 1, "predict: a batch of \(image.shape[0]) images")
    let features = features(image, path: path)
    let outputs = proposalHead(features.proposalLevels)
    let proposals = proposals(
      image: 0, size: (width, height), outputs: outputs, anchors: anchorBoxes(features.levels),
      preNMS: configuration.proposals.preNMSTest, postNMS: configuration.proposals.postNMSTest
    ).best(configuration.proposals.postNMSTest)
    var detections = detect(proposals.boxes, levels: features.levels, width: width, height: height)
    let maskSize = addMasks(to: &detections, levels: features.levels, path: path)
    if boxConvention == .exclusive {
      for i in detections.indices { detections[i].box = detections[i].box.inclusive }
    }
    return ImagePrediction(
      detections: detections, maskSize: maskSize,
      semantic: semanticLabels(SemanticBranch.enlarged(features.semanticScores).value, width: width, height: height),
      width: width,
      height: height)
  }

  func detect(_ boxes: [Box], levels: [Variable], width: Int, height: Int) -> [ImagePrediction.Detection] {
    guard !boxes.isEmpty else { return [] }
    let settings = configuration.boxHead
    let regions = boxes.map { Region(image: 0, box: $0) }
    let order = PooledOrder(regions, rule: levelRule)
    let (scores, deltas) = boxHead(pool(regions, order: order, from: levels, size: settings.pooledSize))
    let probabilities = softmax(scores)
    // Row of every proposal, so that the proposals can be walked in their own order.
    var rows = [Int](repeating: 0, count: boxes.count)
    for (row, i) in order.order.enumerated() { rows[i] = row }
    let coder = BoxCoder(weights: (10, 10, 5, 5), convention: boxConvention)
    let suppression = NonMaximumSuppression(threshold: settings.nmsOverlap, convention: boxConvention)
    var found: [ImagePrediction.Detection] = []
    for label in 1...thingClasses {
      var candidates: [Box] = []
      var candidateScores: [Float] = []
      for (i, row) in rows.enumerated() {
        let score = probabilities.value[flat: row * (thingClasses + 1) + label]
        guard score > settings.scoreThreshold else { continue }
        let first = (row * (thingClasses + 1) + label) * 4
        func delta(_ k: Int) -> Float { deltas.value[flat: first + k] }
        let box = coder.decode(BoxCoder.Deltas(delta(0), delta(1), delta(2), delta(3)), relativeTo: boxes[i])
        candidates.append(box.clipped(width: width, height: height, boxConvention))
        candidateScores.append(score)
      }
      for i in suppression.keptInInputOrder(candidates, scores: candidateScores) {
        found.append(.init(label: label, score: candidateScores[i], box: candidates[i], mask: []))
      }
    }
    // The cut is a score, so detections that tie with the last one stay (spec 3.4).
    if found.count > settings.detectionsPerImage {
      let scores = found.map(\.score)
      let cut = scores[indicesOfLargest(scores, count: settings.detectionsPerImage).last!]
      found.removeAll { $0.score < cut }
    }
    return found
  }

  /// Fills the masks in; returns their side.
  func addMasks(
    to detections: inout [ImagePrediction.Detection], levels: [Variable], path: Architecture
  ) -> Int {
    let size = configuration.maskHead.pooledSize * 2
    guard !detections.isEmpty else { return size }
    let regions = detections.map { Region(image: 0, box: $0.box) }
    let order = PooledOrder(regions, rule: levelRule)
    let logits = maskHead(
      pool(regions, order: order, from: levels, size: configuration.maskHead.pooledSize),
      path: choices(of: .mask, in: path))
    let area = size * size
    let indices = order.order.enumerated().flatMap { row, i in
      let first = (row * (thingClasses + 1) + detections[i].label) * area
      return (first..<first + area).map(Int32.init)
    }
    let probabilities = sigmoid(gather(logits, at: indices)).value.array
    for (row, i) in order.order.enumerated() {
      detections[i].mask = Array(probabilities[row * area..<(row + 1) * area])
    }
    return size
  }

  /// The first of the largest scores of every pixel.
  private func semanticLabels(_ scores: Tensor, width: Int, height: Int) -> [UInt8] {
    let classes = scores.shape[1]
    let (rows, columns) = (scores.shape[2], scores.shape[3])
    return scores.withElements { values in
      var labels = [UInt8](repeating: 0, count: width * height)
      for y in 0..<height {
        for x in 0..<width {
          let place = y * columns + x
          var best = values[place]
          for c in 1..<classes where values[c * rows * columns + place] > best {
            best = values[c * rows * columns + place]
            labels[y * width + x] = UInt8(c)
          }
        }
      }
      return labels
    }
  }
}
