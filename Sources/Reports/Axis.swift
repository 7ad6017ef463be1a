import Determinism

/// A plot axis with ticks at round distances, from the tick below all values to the one above.
struct Axis {
  private let lowest: Double
  private let highest: Double
  private let step: Double

  init(_ values: [Double]) {
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    step = Axis.step(high - low)
    lowest = (low / step).rounded(.down) * step
    highest = max(lowest + step, (high / step).rounded(.up) * step)
  }

  /// The coordinate of a value on an axis that runs from `start` at the lowest tick to `end` at the highest.
  func place(_ value: Double, from start: Double, to end: Double) -> Double {
    start + (end - start) * (value - lowest) / (highest - lowest)
  }

  /// The values of the ticks.
  var ticks: [Double] { (0...Int(((highest - lowest) / step).rounded())).map { lowest + Double($0) * step } }

  /// The label of a tick.
  func text(_ tick: Double) -> String { tick.text(digits: step < 1 ? 1 : 0) }

  /// A round distance of about a sixth of a range.
  static func step(_ range: Double) -> Double {
    var step = 0.1
    for factor in [2, 2.5, 2, 2, 2.5, 2, 2, 2.5, 2, 2, 2.5, 2] where step * 8 < range { step *= factor }
    return step
  }
}
