import Autograd
import Datasets
import Determinism
import Models
import NN
import Pipelines
import Tensors
import Vision

/// Measures a trained classifier on the validation pictures, each in the middle, without random crops.
///
/// One architecture normalises with its running statistics. A supernet has none that fit a path: every batch runs a random
/// path and normalises with its own statistics, so what is measured is the mean over paths.
struct ClassifierEvaluation {
  let classifier: Classifier
  /// Nil for a supernet.
  let path: [Int]?
  let loader: ClassificationLoader
  let batch: Int
  let context: StageContext

  /// How many pictures were among the first, and among the first five, of the scores.
  private struct Counts {
    var top1 = 0
    var top5 = 0
    var pictures = 0
    /// Pictures that can't be decoded.
    var unreadable = 0

    var wireForm: [UInt8] {
      var bytes = WireBytes()
      for count in [top1, top5, pictures, unreadable] { bytes.write(count) }
      return bytes.bytes
    }

    mutating func add(wireForm bytes: [UInt8]) {
      var rest = WireReader(bytes)
      top1 += rest.integer()
      top5 += rest.integer()
      pictures += rest.integer()
      unreadable += rest.integer()
    }
  }

  /// The validation pictures of a data set; nil, with a notice, where there are none of the trained classes.
  static func pictures(in context: StageContext, classes: [String]) -> ClassificationDataset? {
    let tree = context.input("data").tree
    do {
      let part = ClassificationLayout.imageNet.validation
      return try ClassificationDataset(part: part, in: tree, classes: classes)
    } catch {
      context.notice("top-1 is not measured: \(error)")
      return nil
    }
  }

  /// - Returns: `top-1` and `top-5` in [0, 1], of so many `pictures`.
  /// - Throws: what the tree throws for a file that changed; `StageInterrupted`.
  func metrics() throws -> CanonicalValue {
    let order = shuffledPictures()
    let batches = (order.count + batch - 1) / batch
    var counts = Counts()
    var next = 0
    while next < batches {
      if try context.shouldStop() { throw StageInterrupted() }
      let round = next..<min(next + context.team.roundLength, batches)
      let results = try context.team.deal(round, forAll: true) { index in
        try measure(Array(order[index * batch..<min((index + 1) * batch, order.count)]), index).wireForm
      }
      for result in results { counts.add(wireForm: result) }
      next = round.upperBound
      context.progress(step: min(next * batch, order.count), of: order.count, unit: "validation images")
    }
    if counts.unreadable > 0 {
      context.notice("\(counts.unreadable) validation pictures can't be decoded; not counted")
    }
    guard counts.pictures > 0 else { return [:] }
    return [
      "top-1": .number(Double(counts.top1) / Double(counts.pictures)),
      "top-5": .number(Double(counts.top5) / Double(counts.pictures)), "pictures": .integer(counts.pictures),
    ]
  }

  /// In an order that mixes the classes: a batch of one class would have no statistics of use.
  private func shuffledPictures() -> [Int] {
    var order = Array(loader.dataset.samples.indices)
    var random = context.seeds.stream("validation/order")
    for i in stride(from: order.count - 1, to: 0, by: -1) { order.swapAt(i, random.below(i + 1)) }
    return order
  }

  private func measure(_ samples: [Int], _ index: Int) throws -> Counts {
    var counts = Counts()
    let batch = try loader.validationBatch(samples)
    counts.unreadable = samples.count - batch.labels.count
    guard !batch.labels.isEmpty else { return counts }
    let pass = Pass(mode: path == nil ? .recalibration : .evaluation)
    var random = context.seeds.stream("validation/batch/\(index)")
    let chosen = path ?? classifier.randomPath(using: &random)
    let scores = classifier(pass.constant(batch.images), path: chosen, random: &random).value
    let classes = scores.shape[1]
    for (row, label) in batch.labels.enumerated() {
      let own = scores[flat: row * classes + label]
      // Of equal scores the one of the lower number comes first.
      let before = (0..<classes).count { other in
        let score = scores[flat: row * classes + other]
        return score > own || score == own && other < label
      }
      counts.top1 += before == 0 ? 1 : 0
      counts.top5 += before < 5 ? 1 : 0
    }
    counts.pictures = batch.labels.count
    return counts
  }
}
