import Determinism

/// A plot axis with ticks at round distances, from the tick below all values to the one above.
public struct Axis: Sendable {
  private let lowest: Double
  private let highest: Double
  private let step: Double

  /// - Parameter finest: the least distance of two ticks.
  public init(_ values: [Double], finest: Double = 0.1) {
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    step = Axis.step(high - low, finest: finest)
    lowest = (low / step).rounded(.down) * step
    highest = max(lowest + step, (high / step).rounded(.up) * step)
  }

  /// An axis for numbers of any size: its ticks are as fine as they are.
  /// - Parameter leastStep: such as 1 where the values count something.
  public init(ofAnySize values: [Double], leastStep: Double = 0) {
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    // Of a constant, a hundredth of it.
    let range = max(high - low, 0.01 * max(abs(low), abs(high)), 1e-9)
    var finest = 1.0
    for _ in 0..<40 where finest * 80 > range { finest /= 10 }
    for _ in 0..<40 where finest * 800 < range { finest *= 10 }
    self.init(values, finest: max(finest, leastStep))
  }

  /// The coordinate of a value on an axis that runs from `start` at the lowest tick to `end` at the highest.
  public func place(_ value: Double, from start: Double, to end: Double) -> Double {
    start + (end - start) * (value - lowest) / (highest - lowest)
  }

  /// The values of the ticks.
  public var ticks: [Double] {
    (0...max(1, Int(saturating: ((highest - lowest) / step).rounded()))).prefix(100).map { lowest + Double($0) * step }
  }

  /// The label of a tick.
  public func text(_ tick: Double) -> String {
    var (digits, unit) = (0, step)
    while unit < 0.999, digits < 12 { (digits, unit) = (digits + 1, unit * 10) }
    return tick.text(digits: digits)
  }

  /// A round distance of about a sixth of a range.
  public static func step(_ range: Double, finest: Double = 0.1) -> Double {
    var step = finest
    for factor in [2, 2.5, 2, 2, 2.5, 2, 2, 2.5, 2, 2, 2.5, 2] where step * 8 < range { step *= factor }
    return step
  }
}
