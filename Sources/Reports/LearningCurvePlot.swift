import Determinism
import Markup
import Search

/// Measured qualities by size, on a logarithmic axis, and the curve through them with its interval.
public struct LearningCurvePlot: Sendable {
  public struct Point: Sendable {
    public var size: Double
    /// In [0, 1], as the interval; drawn in percent.
    public var value: Double
    public var interval: ConfidenceInterval?

    public init(size: Double, value: Double, interval: ConfidenceInterval? = nil) {
      (self.size, self.value, self.interval) = (size, value, interval)
    }
  }

  public let title: String
  /// What sizes count.
  public let unit: String
  public let measured: [(size: Double, value: Double)]
  /// By ascending size, at least two.
  public let course: [Point]

  public init(title: String, unit: String, measured: [(size: Double, value: Double)], course: [Point]) {
    (self.title, self.unit, self.measured, self.course) = (title, unit, measured, course)
  }

  /// The drawing; the same text on every machine.
  public var svg: String {
    let (width, height, left, right, top, bottom) = (620.0, 420.0, 60.0, 590.0, 50.0, 360.0)
    // Qualities end at 0 and 100, whatever intervals say.
    func percent(_ value: Double) -> Double { min(max(100 * value, 0), 100) }
    let intervals = course.compactMap(\.interval).flatMap { [$0.lower, $0.upper] }
    let up = Axis((course.map(\.value) + measured.map(\.value) + intervals).map(percent))
    let sizes = course.map(\.size) + measured.map(\.size)
    let (low, high) = (PortableMath.log(sizes.min()!), PortableMath.log(sizes.max()!))
    func x(_ size: Double) -> Double {
      left + (right - left) * (PortableMath.log(size) - low) / max(high - low, 1e-9)
    }
    func y(_ value: Double) -> Double { up.place(percent(value), from: bottom, to: top) }

    var drawing = SVG()
    drawing.text(title, x: 20, y: 28, size: 16)
    for value in up.ticks {
      drawing.line(x1: left, y1: y(value / 100), x2: right, y2: y(value / 100), colour: "#ddd")
      drawing.text(up.text(value), x: left - 8, y: y(value / 100) + 4, anchor: "end")
    }
    var last = -Double.infinity
    for size in Set(measured.map(\.size) + [course[course.count - 1].size]).sorted() where x(size) > last + 30 {
      last = x(size)
      drawing.line(x1: last, y1: top, x2: last, y2: bottom, colour: "#ddd")
      drawing.text(size.text(digits: 0), x: last, y: bottom + 18, anchor: "middle")
    }
    drawing.text(unit, x: (left + right) / 2, y: height - 16, anchor: "middle")
    drawing.text("PQ", x: 20, y: (top + bottom) / 2, anchor: "middle", rotation: -90)
    for point in course {
      guard let interval = point.interval else { continue }
      let place = x(point.size)
      drawing.line(
        x1: place, y1: y(interval.lower), x2: place, y2: y(interval.upper), colour: "#cfe3f1", width: 3)
    }
    drawing.path(course.map { (x($0.size), y($0.value)) }, colour: "#0072b2", width: 1.6)
    for (size, value) in measured { drawing.dot(x: x(size), y: y(value), radius: 4, fill: "#d55e00") }
    return drawing.document(width: Int(width), height: Int(height))
  }
}
