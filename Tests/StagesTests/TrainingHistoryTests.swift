import TensorFiles
import Testing

@testable import Stages

@Suite("Histories of trainings")
struct TrainingHistoryTests {
  private static func metrics(_ step: Int) -> StepMetrics {
    StepMetrics(loss: 1 / Double(step + 3), parts: [("mask", Double(step))], rate: 0.1 * Double(step), gradientNorm: 2)
  }

  private static func history(_ steps: Int) -> TrainingHistory {
    TrainingHistory(steps: steps, unit: "updates", names: metrics(0).named.map(\.name))
  }

  @Test(
    "have at most a thousand rows, each the mean over as many steps, the last over the rest",
    arguments: [(1, 1, 1), (999, 1, 999), (1000, 1, 1000), (1001, 2, 501), (2500, 3, 834)])
  func rows(steps: Int, stepsPerRow: Int, rows: Int) {
    var history = Self.history(steps)
    let completed = (0..<steps).filter { history.add(Self.metrics($0)) }
    #expect(history.stepsPerRow == stepsPerRow && history.rows.count == rows && completed.count == rows)
    let report = history.report
    #expect(report.names == ["loss", "mask", "rate", "gradient norm"] && report.stepsPerRow == stepsPerRow)
    #expect(report.rows.last?.step == steps)
    for (index, row) in report.rows.enumerated() {
      let members = index * stepsPerRow..<min(steps, (index + 1) * stepsPerRow)
      let mean = members.reduce(0.0) { $0 + 1 / Double($1 + 3) } / Double(members.count)
      #expect(row.values[0] == mean && row.step == members.upperBound)
    }
  }

  @Test("go on from a checkpoint at any step to the same bits", arguments: [1, 2, 3, 1250, 2499])
  func restored(step: Int) throws {
    let steps = 2500
    var straight = Self.history(steps)
    for i in 0..<step { _ = straight.add(Self.metrics(i)) }
    var resumed = Self.history(steps)
    try resumed.restore(straight.tensor.tensor, done: step)
    for i in step..<steps {
      _ = straight.add(Self.metrics(i))
      _ = resumed.add(Self.metrics(i))
    }
    #expect(resumed.report.rows == straight.report.rows)
  }

  @Test("of another step, other metrics or nothing are not taken")
  func foreign() throws {
    var history = Self.history(8)
    for i in 0..<3 { _ = history.add(Self.metrics(i)) }
    let tensor = history.tensor.tensor
    var fresh = Self.history(8)
    #expect(throws: (any Error).self) { try fresh.restore(tensor, done: 4) }
    #expect(throws: (any Error).self) { try fresh.restore(nil, done: 3) }
    #expect(throws: (any Error).self) {
      try fresh.restore(NamedTensor([Double](repeating: 0, count: 8), shape: [4, 2]), done: 3)
    }
    #expect(fresh.done == 0 && fresh.rows.isEmpty)
  }

  @Test("metrics are a line for people: the loss, and its parts in their order")
  func text() {
    let metrics = StepMetrics(loss: 1.23456, parts: [("rpn", 0.125), ("mask", 2)], rate: 0.02, gradientNorm: 1)
    #expect(metrics.text == "loss 1.235 (rpn 0.13, mask 2.00)" || metrics.text == "loss 1.235 (rpn 0.12, mask 2.00)")
    #expect(StepMetrics(loss: 0.5, rate: 1, gradientNorm: 1).text == "loss 0.500")
    #expect(metrics.named.map(\.name) == ["loss", "rpn", "mask", "rate", "gradient norm"])
  }
}
