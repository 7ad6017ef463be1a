/// What one step of a training measured: numbers by name.
///
/// Progress lines, the stage's log and the artifact `history` are made from these.
struct StepMetrics: Sendable, Equatable {
  /// What the step minimised: the mean over its passes.
  var loss: Double
  /// The parts of the loss, in an order that people read.
  var parts: [(name: String, value: Double)] = []
  /// The learning rate of the step, before the factors of single parameters.
  var rate: Double

  /// Of all gradients together, before any is clipped.
  var gradientNorm: Double

  /// All numbers by name, in a fixed order.
  var named: [(name: String, value: Double)] {
    [("loss", loss)] + parts + [("rate", rate), ("gradient norm", gradientNorm)]
  }

  /// For progress lines: `loss 1.234 (rpn 0.12, mask 0.34)`.
  var text: String {
    let list = parts.map { "\($0.name) \($0.value.text(digits: 2))" }.joined(separator: ", ")
    return "loss \(loss.text(digits: 3))" + (parts.isEmpty ? "" : " (\(list))")
  }

  static func == (a: StepMetrics, b: StepMetrics) -> Bool {
    a.named.elementsEqual(b.named) { $0 == $1 }
  }
}
