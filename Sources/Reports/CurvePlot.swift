import Determinism
import Markup

/// Numbers over steps: a panel for each name, a line for each stage that has it.
public struct CurvePlot: Sendable {
  public struct Line: Sendable {
    public var title: String
    /// With rising steps.
    public var points: [(step: Double, value: Double)]

    public init(title: String, points: [(step: Double, value: Double)]) { (self.title, self.points) = (title, points) }
  }

  public struct Panel: Sendable {
    public var title: String
    public var lines: [Line]

    public init(title: String, lines: [Line]) { (self.title, self.lines) = (title, lines) }
  }

  public let panels: [Panel]
  /// What steps are called.
  public let unit: String

  public init(panels: [Panel], unit: String) { (self.panels, self.unit) = (panels, unit) }

  /// Of Okabe and Ito: told apart by everybody.
  static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999"]

  private static let (width, height, columns) = (420.0, 240.0, 2)

  /// The drawing; the same text on every machine.
  public var svg: String {
    var drawing = SVG()
    let titles = titles
    var top = 16.0
    if !titles.isEmpty {
      for (i, title) in titles.enumerated() {
        let x = 24 + Double(i % 4) * 210
        let y = top + Double(i / 4) * 18
        drawing.rectangle(x: x, y: y - 4, width: 14, height: 4, fill: CurvePlot.colour(i))
        drawing.text(title.clipped(to: 28), x: x + 20, y: y + 2)
      }
      top += Double((titles.count + 3) / 4) * 18 + 8
    }
    for (i, panel) in panels.enumerated() {
      let (x, y) = (
        Double(i % CurvePlot.columns) * CurvePlot.width, top + Double(i / CurvePlot.columns) * CurvePlot.height
      )
      draw(panel, x, y, titles, into: &drawing)
    }
    let rows = (panels.count + CurvePlot.columns - 1) / CurvePlot.columns
    return drawing.document(
      width: SVG.number(CurvePlot.width * Double(min(CurvePlot.columns, max(1, panels.count)))),
      height: SVG.number(top + Double(rows) * CurvePlot.height), title: titles.joined(separator: ", ").clipped(to: 100))
  }

  /// Numbers beyond all measure have no place on an axis.
  private static func isUsual(_ value: Double) -> Bool { value.magnitude < 1e30 }

  private static func colour(_ i: Int) -> String { colours[i % colours.count] }

  /// Of all lines, in the order in which they come.
  private var titles: [String] {
    var found = [String]()
    for line in panels.flatMap(\.lines) where !found.contains(line.title) { found.append(line.title) }
    return found
  }

  private func draw(_ panel: Panel, _ x: Double, _ y: Double, _ titles: [String], into drawing: inout SVG) {
    let (left, right, upper, lower) = (x + 62, x + CurvePlot.width - 16, y + 28, y + CurvePlot.height - 42)
    let points = panel.lines.flatMap(\.points).filter { CurvePlot.isUsual($0.step) && CurvePlot.isUsual($0.value) }
    let up = Axis(ofAnySize: points.map(\.value)), across = Axis(ofAnySize: points.map(\.step), leastStep: 1)
    drawing.text(panel.title.clipped(to: 48), x: left, y: y + 16, size: 13)
    for tick in up.ticks {
      let place = up.place(tick, from: lower, to: upper)
      drawing.line(x1: left, y1: place, x2: right, y2: place, colour: "#ddd")
      drawing.text(up.text(tick), x: left - 6, y: place + 4, anchor: "end")
    }
    for tick in across.ticks {
      let place = across.place(tick, from: left, to: right)
      drawing.line(x1: place, y1: upper, x2: place, y2: lower, colour: "#eee")
      drawing.text(across.text(tick), x: place, y: lower + 16, anchor: "middle")
    }
    drawing.text(unit, x: (left + right) / 2, y: lower + 32, anchor: "middle", colour: "#555")
    for line in panel.lines {
      let places = line.points.filter { CurvePlot.isUsual($0.step) && CurvePlot.isUsual($0.value) }.map {
        (x: across.place($0.step, from: left, to: right), y: up.place($0.value, from: lower, to: upper))
      }
      let colour = CurvePlot.colour(titles.firstIndex(of: line.title) ?? 0)
      if places.count == 1 {
        drawing.dot(x: places[0].x, y: places[0].y, radius: 3, fill: colour)
      } else {
        drawing.path(places, colour: colour, width: 1.5)
      }
    }
  }
}
