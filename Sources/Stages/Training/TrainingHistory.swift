import Determinism
import NN
import Pipelines
import TensorFiles

/// The metrics of a training, step after step: what the artifact `history` holds.
///
/// There are at most 1000 rows. Each is the mean over as many steps in a row as that takes (one step a row up to 1000
/// steps), the last perhaps over fewer. It is a function of the metrics alone, and part of a checkpoint: a training
/// that resumes has the history of one that ran through.
struct TrainingHistory: Sendable {
  let steps: Int
  /// What a step is called, such as `updates`.
  let unit: String
  /// Of the metrics of a step, in their order.
  let names: [String]
  /// Steps of a row.
  let stepsPerRow: Int
  private(set) var done = 0
  private(set) var rows: [[Double]] = []
  /// Of the row that is not complete.
  private var sums: [Double]

  init(steps: Int, unit: String, names: [String]) {
    self.steps = steps
    self.unit = unit
    self.names = names
    stepsPerRow = History.stepsPerRow(steps)
    sums = names.map { _ in 0 }
  }

  /// Steps of the row that the next step is in, so far.
  private var pending: Int { done - rows.count * stepsPerRow }

  /// Takes the metrics of the next step.
  /// - Returns: whether that completed a row.
  /// - Precondition: they have the names of this history, and no more steps come than there are.
  mutating func add(_ metrics: StepMetrics) -> Bool {
    let named = metrics.named
    precondition(named.map(\.name) == names, "TrainingHistory: metrics \(named.map(\.name)), expected \(names)")
    precondition(done < steps, "TrainingHistory: more than \(steps) steps")
    for (i, metric) in named.enumerated() { sums[i] += metric.value }
    done += 1
    guard pending == stepsPerRow || done == steps else { return false }
    let count = Double(pending)
    rows.append(sums.map { $0 / count })
    sums = names.map { _ in 0 }
    return true
  }

  /// The newest row.
  var lastRow: [(name: String, value: Double)] { rows.last.map { Array(zip(names, $0)) } ?? [] }

  /// The newest row, for logs: `updates 91 to 180: loss 1.2345, rpn 0.1234, rate 0.02`.
  var lastRowText: String {
    guard let row = rows.last else { return "" }
    let first = (rows.count - 1) * stepsPerRow + 1
    let range = first == done ? "\(unit) \(done)" : "\(unit) \(first) to \(done)"
    return "\(range): " + zip(names, row).map { "\($0) \($1.text(digits: 6))" }.joined(separator: ", ")
  }
}

extension TrainingHistory {
  /// The content of the artifact.
  var report: History {
    History(
      unit: unit, steps: steps, stepsPerRow: stepsPerRow, names: names,
      rows: rows.enumerated().map { index, row in
        History.Row(step: min(steps, (index + 1) * stepsPerRow), values: row)
      })
  }
}

// In checkpoints the rows and the sums of the open one are one tensor of binary64, `[rows + 1, names]`.
extension TrainingHistory {
  static let tensorName = "history/rows"

  var tensor: (name: String, tensor: NamedTensor) {
    (TrainingHistory.tensorName, NamedTensor((rows + [sums]).flatMap { $0 }, shape: [rows.count + 1, names.count]))
  }

  /// Takes the rows of a checkpoint.
  /// - Throws: `StateError` where they are not those of so many steps.
  mutating func restore(_ tensor: NamedTensor?, done: Int) throws {
    let complete = done == steps ? (done + stepsPerRow - 1) / stepsPerRow : done / stepsPerRow
    guard let values = tensor?.values(as: Double.self), tensor?.shape == [complete + 1, names.count] else {
      throw StateError(description: "the checkpoint holds no history of \(done) \(unit)")
    }
    let all = stride(from: 0, to: values.count, by: names.count).map { Array(values[$0..<$0 + names.count]) }
    self.done = done
    rows = all.dropLast()
    sums = all[complete]
  }
}
