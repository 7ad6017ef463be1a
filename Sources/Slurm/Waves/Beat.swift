import Determinism
import PipelineModel

/// How far an element of a wave is: a small file that its worker replaces now and then.
package struct Beat: Sendable, Equatable {
  package var stage: String
  package var node: String
  package var attempt: Int
  package var step: Int
  package var total: Int
  package var unit: String
  package var detail: String

  package var canonical: CanonicalValue {
    [
      "stage": .string(stage), "node": .string(node), "attempt": .integer(attempt), "step": .integer(step),
      "of": .integer(total), "unit": .string(unit), "detail": .string(detail),
    ]
  }

  package init(
    stage: String, node: String, attempt: Int, step: Int = 0, of total: Int = 0, unit: String = "", detail: String = ""
  ) {
    self.stage = stage
    self.node = node
    self.attempt = attempt
    self.step = step
    self.total = total
    self.unit = unit
    self.detail = detail
  }

  /// Nil where the value is no beat.
  package init?(canonical value: CanonicalValue) {
    guard let stage = value["stage"]?.stringValue, let node = value["node"]?.stringValue,
      let attempt = value["attempt"]?.integerValue, let step = value["step"]?.integerValue,
      let total = value["of"]?.integerValue, let unit = value["unit"]?.stringValue,
      let detail = value["detail"]?.stringValue
    else { return nil }
    self.init(stage: stage, node: node, attempt: attempt, step: step, of: total, unit: unit, detail: detail)
  }
}
