import Determinism

/// Numbers over steps as lines: the curves of a training.
///
/// Lines have the colours of a picture that stands alone, and a class by which the style sheet of a page gives others.
public struct LineChart: Sendable {
  /// One line.
  public struct Line: Sendable {
    public var name: String
    /// Points whose numbers are not finite, or beyond all measure, are left out.
    public var points: [(x: Double, y: Double)]

    public init(name: String, points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points.filter { abs($0.x) < 1e30 && abs($0.y) < 1e30 }
    }
  }

  public let title: String
  /// What the axis of steps counts, such as `updates`.
  public let unit: String
  public let lines: [Line]
  private let width: Double
  private let height: Double

  /// - Parameters:
  ///   - lines: as many as have a colour of their own are easily told apart: eight.
  ///   - width: of the whole drawing; its height is half of it, and room for the legend.
  public init(title: String, unit: String, lines: [Line], width: Double = 720) {
    (self.title, self.unit, self.lines, self.width) = (title, unit, lines, width)
    height = (width * 0.42).rounded()
  }

  /// Distinguishable with colour vision deficiencies (Okabe and Ito 2008, the yellow darkened for white paper).
  private static let colours = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a7a00", "#555555",
  ]
  private static let (left, right, top, bottom) = (58.0, 16.0, 14.0, 40.0)

  /// A picture that stands alone.
  public var svg: String {
    let drawing = picture(startingAt: 36, titled: true)
    return drawing.svg.document(width: SVG.number(width), height: SVG.number(drawing.height), title: title)
  }

  /// The picture as a part of an HTML page, without its title.
  public var inline: MarkupNode {
    let drawing = picture(startingAt: 0, titled: false)
    let names = lines.map(\.name).joined(separator: ", ")
    return drawing.svg.inline(
      width: SVG.number(width), height: SVG.number(drawing.height), title: "\(title): \(names) over \(unit)")
  }

  private func picture(startingAt start: Double, titled: Bool) -> (svg: SVG, height: Double) {
    var drawing = SVG()
    if titled { drawing.text(title, x: 20, y: 28, size: 16) }
    let legend = drawLegend(top: start, in: &drawing)
    let (top, bottom) = (start + legend + LineChart.top, start + legend + height - LineChart.bottom)
    let (left, right) = (LineChart.left, width - LineChart.right)
    let steps = lines.flatMap { $0.points.map(\.x) }
    let across = Axis(ofAnySize: steps, leastStep: steps.allSatisfy { $0 == $0.rounded() } ? 1 : 0)
    let up = Axis(ofAnySize: lines.flatMap { $0.points.map(\.y) })
    // In a small picture every other tick has room.
    let stride = height < 200 && up.ticks.count > 5 ? 2 : 1
    for (i, tick) in up.ticks.enumerated() where i % stride == 0 {
      let y = up.place(tick, from: bottom, to: top)
      grid([(left, y), (right, y)], in: &drawing)
      label(up.text(tick), x: left - 8, y: y + 4, anchor: "end", in: &drawing)
    }
    for tick in across.ticks {
      let x = across.place(tick, from: left, to: right)
      label(across.text(tick), x: x, y: bottom + 17, anchor: "middle", in: &drawing)
    }
    label(unit, x: (left + right) / 2, y: bottom + 34, anchor: "middle", in: &drawing)
    // The first line last, so that it lies on top.
    for (i, line) in lines.enumerated().reversed() {
      let points = line.points.map {
        (x: across.place($0.x, from: left, to: right), y: up.place($0.y, from: bottom, to: top))
      }
      let colour = LineChart.colours[i % LineChart.colours.count]
      if points.count == 1 {
        drawing.add(
          "circle",
          [("cx", SVG.number(points[0].x)), ("cy", SVG.number(points[0].y)), ("r", "3.0"), ("fill", colour)]
            + [("class", "dot c\(i % LineChart.colours.count)")], title: line.name)
      }
      drawing.path(
        points, colour: colour, width: points.count > 200 ? 1.2 : i == 0 ? 2 : 1.4,
        attributes: [("stroke-linejoin", "round"), ("class", "line c\(i % LineChart.colours.count)")],
        title: line.name)
    }
    return (drawing, start + legend + height)
  }

  /// Names of the lines, in rows.
  /// - Returns: its height.
  private func drawLegend(top: Double, in drawing: inout SVG) -> Double {
    var (x, y) = (LineChart.left, top + 14)
    for (i, line) in lines.enumerated() {
      let name = line.name.clipped(to: 60)
      let length = 28 + SVG.width(of: name, size: 12) + 16
      if x > LineChart.left, x + length > width - LineChart.right { (x, y) = (LineChart.left, y + 18) }
      drawing.path(
        [(x, y - 4), (x + 18, y - 4)], colour: LineChart.colours[i % LineChart.colours.count], width: 3,
        attributes: [("class", "line c\(i % LineChart.colours.count)")])
      label(name, x: x + 24, y: y, anchor: "start", size: 12, in: &drawing)
      x += length
    }
    return y - top + 4
  }

  private func grid(_ points: [(x: Double, y: Double)], in drawing: inout SVG) {
    drawing.path(points, colour: "#dddddd", width: 1, attributes: [("class", "grid")])
  }

  private func label(_ text: String, x: Double, y: Double, anchor: String, size: Int = 11, in drawing: inout SVG) {
    drawing.add(
      "text",
      [("x", SVG.number(x)), ("y", SVG.number(y)), ("font-size", "\(size)"), ("text-anchor", anchor)]
        + [("fill", "#333333"), ("class", "label")], text: text)
  }
}
