import Determinism
import Markup

/// Curves of regret over evaluations, one small panel for each combination of two factors; bands are confidence
/// intervals.
public struct RegretGrid: Sendable {
  public struct Point: Sendable {
    public var evaluations: Int
    public var mean: Double
    public var low: Double
    public var high: Double

    public init(evaluations: Int, mean: Double, low: Double, high: Double) {
      (self.evaluations, self.mean, self.low, self.high) = (evaluations, mean, low, high)
    }
  }

  public struct Curve: Sendable {
    public var name: String
    public var points: [Point]

    public init(name: String, points: [Point]) { (self.name, self.points) = (name, points) }
  }

  public let title: String
  /// Headings of the columns and rows of panels.
  public let columns: [String]
  public let rows: [String]
  /// `panels[row][column]`: curves in the same order everywhere.
  public let panels: [[[Curve]]]

  public init(title: String, columns: [String], rows: [String], panels: [[[Curve]]]) {
    (self.title, self.columns, self.rows, self.panels) = (title, columns, rows, panels)
  }

  private static let (width, height, left, top) = (170.0, 120.0, 120.0, 84.0)
  private static let ticks = [10.0, 30, 100, 300, 1000, 3000, 10_000, 100_000]

  private var points: [Point] { panels.joined().joined().flatMap(\.points) }

  /// The drawing; the same text on every machine.
  public var svg: String {
    var drawing = SVG()
    drawing.text(title, x: 20, y: 28, size: 16)
    let names = panels.joined().first?.map(\.name) ?? []
    var x = RegretGrid.left
    for (i, name) in names.enumerated() {
      drawing.rectangle(x: x, y: 44, width: 16, height: 4, fill: CurvePlot.colours[i % CurvePlot.colours.count])
      drawing.text(name, x: x + 22, y: 50)
      x += 46 + SVG.width(of: name, size: 11)
    }
    for (i, heading) in columns.enumerated() {
      drawing.text(
        heading, x: RegretGrid.left + (Double(i) + 0.45) * RegretGrid.width, y: RegretGrid.top - 8, size: 12,
        anchor: "middle")
    }
    for (j, heading) in rows.enumerated() {
      drawing.text(heading, x: 12, y: RegretGrid.top + (Double(j) + 0.45) * RegretGrid.height, size: 12)
    }
    for (j, row) in panels.enumerated() {
      for (i, curves) in row.enumerated() { draw(curves, row: j, column: i, in: &drawing) }
    }
    let (right, bottom) = (
      RegretGrid.left + Double(columns.count) * RegretGrid.width,
      RegretGrid.top + Double(rows.count) * RegretGrid.height
    )
    drawing.text(
      "evaluations (logarithmic); regret in standard deviations of random models; bands: 95 % intervals of the mean",
      x: (RegretGrid.left + right) / 2, y: bottom + 26, anchor: "middle", colour: "#555")
    return drawing.document(width: SVG.number(right + 20), height: SVG.number(bottom + 40), title: title)
  }

  private func draw(_ curves: [Curve], row: Int, column: Int, in drawing: inout SVG) {
    let left = RegretGrid.left + Double(column) * RegretGrid.width
    let upper = RegretGrid.top + Double(row) * RegretGrid.height
    let (right, lower) = (left + RegretGrid.width - 16, upper + RegretGrid.height - 24)
    // The same axes in all panels.
    let all = points
    let up = Axis([0] + all.map(\.high))
    let (first, last) = (
      PortableMath.log(Double(all.map(\.evaluations).min() ?? 1)),
      PortableMath.log(Double(max(2, all.map(\.evaluations).max() ?? 2)))
    )
    func x(_ evaluations: Double) -> Double {
      left + (right - left) * (PortableMath.log(evaluations) - first) / max(last - first, 1e-9)
    }
    func y(_ value: Double) -> Double { up.place(value, from: lower, to: upper) }
    for (i, tick) in up.ticks.enumerated() where i % 2 == 0 {
      drawing.line(x1: left, y1: y(tick), x2: right, y2: y(tick), colour: "#ddd")
      if column == 0 { drawing.text(up.text(tick), x: left - 5, y: y(tick) + 4, size: 9, anchor: "end") }
    }
    for tick in RegretGrid.ticks
    where PortableMath.log(tick) >= first - 0.01 && PortableMath.log(tick) <= last + 0.01 {
      drawing.line(x1: x(tick), y1: upper, x2: x(tick), y2: lower, colour: "#eee")
      drawing.text(tick.text(digits: 0), x: x(tick), y: lower + 12, size: 9, anchor: "middle")
    }
    for (i, curve) in curves.enumerated() {
      let colour = CurvePlot.colours[i % CurvePlot.colours.count]
      let places = curve.points.map { (x: x(Double($0.evaluations)), $0) }
      guard places.count > 1 else {
        for (x, point) in places { drawing.dot(x: x, y: y(point.mean), radius: 2.5, fill: colour) }
        continue
      }
      let band =
        places.map { (x: $0.x, y: y($0.1.high)) } + places.reversed().map { (x: $0.x, y: y($0.1.low)) }
      drawing.add(
        "path", [("d", SVG.course(band) + " Z"), ("fill", colour), ("fill-opacity", "0.2"), ("stroke", "none")])
      drawing.path(places.map { (x: $0.x, y: y($0.1.mean)) }, colour: colour, width: 1.4)
    }
  }
}
