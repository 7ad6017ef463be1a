import Determinism
import Markup
import Search

/// Values with their intervals, one below the other, in groups.
public struct IntervalPlot: Sendable {
  public struct Row: Sendable {
    public var label: String
    /// In [0, 1] or a difference of such; drawn in percent.
    public var value: Double
    public var interval: ConfidenceInterval?

    public init(label: String, value: Double, interval: ConfidenceInterval? = nil) {
      (self.label, self.value, self.interval) = (label, value, interval)
    }
  }

  public struct Group: Sendable {
    /// Above its rows; empty for none.
    public var title: String
    public var rows: [Row]

    public init(title: String, rows: [Row]) { (self.title, self.rows) = (title, rows) }
  }

  public let title: String
  /// What the axis says.
  public let axis: String
  /// Where a line is drawn for comparison.
  public let reference: Double
  public let groups: [Group]

  public init(title: String, axis: String, reference: Double, groups: [Group]) {
    (self.title, self.axis, self.reference, self.groups) = (title, axis, reference, groups)
  }

  /// The drawing; the same text on every machine.
  public var svg: String {
    let (lineHeight, top) = (16.0, 50.0)
    let labels = groups.flatMap { $0.rows.map { SVG.width(of: $0.label, size: 11) } }.max() ?? 0
    let left = max(120, labels + 30)
    let titles = groups.map { SVG.width(of: $0.title, size: 11) }.max() ?? 0
    let width = max(left + 440, titles + 60)
    let right = width - 30
    let lines = groups.reduce(0) { $0 + $1.rows.count + ($1.title.isEmpty ? 0 : 1) }
    let bottom = top + lineHeight * Double(lines) + 6 * Double(groups.count)
    // Intervals of few values may be far wider than what is to be seen: they are cut at the frame.
    let values = groups.flatMap(\.rows).map(\.value) + [reference]
    let (low, high) = (values.min()!, values.max()!)
    let reach = max(high - low, 0.001)
    let ends = groups.flatMap(\.rows).compactMap(\.interval).flatMap { [$0.lower, $0.upper] }
      .map { min(max($0, low - reach), high + reach) }
    let across = Axis((values + ends).map { 100 * $0 })
    func x(_ value: Double) -> Double { min(max(across.place(100 * value, from: left, to: right), left), right) }

    var drawing = SVG()
    drawing.text(title, x: 20, y: 28, size: 16)
    for value in across.ticks {
      let place = x(value / 100)
      drawing.line(x1: place, y1: top, x2: place, y2: bottom, colour: "#ddd")
      drawing.text(across.text(value), x: place, y: bottom + 18, anchor: "middle")
    }
    drawing.line(x1: x(reference), y1: top, x2: x(reference), y2: bottom, colour: "#888", width: 1.5)
    drawing.text(axis, x: (left + right) / 2, y: bottom + 38, anchor: "middle")
    var y = top
    for group in groups {
      y += 6
      if !group.title.isEmpty {
        y += lineHeight
        drawing.text(group.title, x: 20, y: y - 4, colour: "#444")
      }
      for row in group.rows {
        y += lineHeight
        let middle = y - lineHeight / 2
        drawing.text(row.label, x: left - 10, y: middle + 4, anchor: "end")
        if let interval = row.interval {
          drawing.line(
            x1: x(interval.lower), y1: middle, x2: x(interval.upper), y2: middle, colour: "#0072b2", width: 2)
        }
        drawing.dot(x: x(row.value), y: middle, radius: 4, fill: "#0072b2")
      }
    }
    return drawing.document(width: Int(width), height: Int(bottom + 50))
  }
}
