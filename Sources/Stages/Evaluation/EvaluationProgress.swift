import Determinism
import NN
import Panoptic
import TensorFiles

/// How far the evaluation of a candidate is.
struct EvaluationProgress {
  /// Batches that the statistics hold.
  var batches = 0
  /// Images that were judged.
  var images = 0
  /// Of those images, on the leader of a team.
  var counts: [[PanopticQuality.CategoryCounts]] = []

  var step: Int { batches + images }

  init() {}
}

// In a checkpoint the counts are one tensor of binary64, `[entries, 6]`: image, category, overlaps, matches, false
// positives and false negatives.
extension EvaluationProgress {
  private static let countsName = "evaluation/counts"

  /// - Parameter store: with the statistics.
  func write(to path: String, statistics store: ParameterStore) throws {
    let rows = counts.enumerated().flatMap { image, entries in
      entries.flatMap { entry in
        [
          Double(image), Double(entry.category), entry.counts.iou, Double(entry.counts.truePositives),
          Double(entry.counts.falsePositives), Double(entry.counts.falseNegatives),
        ]
      }
    }
    try TensorFile(
      tensors: store.buffers.map { ($0.name, NamedTensor($0.value)) }
        + [(EvaluationProgress.countsName, NamedTensor(rows, shape: [rows.count / 6, 6]))],
      attributes: ["batches": .integer(batches), "images": .integer(images)]
    ).write(to: path)
  }

  /// Reads what `write` wrote, and puts the statistics into the network.
  /// - Throws: `StateError` where the file is not of this evaluation and step; then nothing is changed.
  init(
    fileAt path: String, into store: ParameterStore, batches: Int, images: Int, categories: Int, step: Int
  ) throws {
    let file = try TensorFile.read(path)
    guard let done = file.attributes["batches"]?.integerValue, let judged = file.attributes["images"]?.integerValue,
      done >= 0, judged >= 0, done <= batches, judged <= images, done + judged == step, judged == 0 || done == batches,
      let counts = file[EvaluationProgress.countsName], counts.shape.count == 2, counts.shape[1] == 6,
      let rows = counts.values(as: Double.self)
    else { throw StateError(description: "\(path): not the state of this evaluation") }
    self.batches = done
    self.images = judged
    self.counts = Array(repeating: [], count: judged)
    for row in stride(from: 0, to: rows.count, by: 6) {
      let numbers = rows[row..<row + 6].map { Int(saturating: $0) }
      guard (0..<judged).contains(numbers[0]), (0..<categories).contains(numbers[1]),
        numbers[3...].allSatisfy({ (0...1 << 24).contains($0) })
      else { throw StateError(description: "\(path): the counts in row \(row / 6) can't be") }
      self.counts[numbers[0]].append(
        PanopticQuality.CategoryCounts(
          category: numbers[1],
          counts: MatchCounts(
            iou: rows[row + 2], truePositives: numbers[3], falsePositives: numbers[4], falseNegatives: numbers[5])))
    }
    try store.loadBuffers(StateDictionary(file))
  }
}
