import Determinism
import Markup
import PipelineRunner

// Shapes have the colours of a picture that stands alone, and a class by which the style sheet of a page gives others.
extension GraphDrawing {
  private static let nameSize = 14.0
  private static let smallSize = 11.0
  private static let boxHeight = 62.0
  private static let font = "Helvetica, Arial, 'DejaVu Sans', sans-serif"

  private typealias Picture = (drawing: SVG, width: String, height: String)

  /// A picture that stands alone.
  public var svg: String {
    let picture = self.picture
    return picture.drawing.document(
      width: picture.width, height: picture.height, font: GraphDrawing.font, title: title.clipped(to: 200),
      definitions: [tip])
  }

  /// The picture as a part of an HTML page.
  /// - Parameter title: what it shows, for who can't see it.
  public func inline(title: String) -> MarkupNode {
    let picture = self.picture
    return picture.drawing.inline(width: picture.width, height: picture.height, title: title, definitions: [tip])
  }

  private var tip: MarkupNode {
    let size = [("markerWidth", "7"), ("markerHeight", "7"), ("orient", "auto")]
    let arrow = MarkupNode("path", [("d", "M0,0.5 L7.5,4 L0,7.5 z"), ("fill", "#777777"), ("class", "tip")])
    return MarkupNode("marker", [("id", "tip"), ("viewBox", "0 0 8 8"), ("refX", "7"), ("refY", "4")] + size, [arrow])
  }

  private var picture: Picture {
    let sizes = nodes.map { node in
      let name = SVG.width(of: node.name, size: GraphDrawing.nameSize, isBold: true)
      let rest = [node.kind, node.text].map { SVG.width(of: $0, size: GraphDrawing.smallSize) }.max()!
      return LayeredLayout.Size(width: max(90, max(name, rest) + 28), height: GraphDrawing.boxHeight)
    }
    // What comes from earlier rounds leads back up: for the layout those edges are turned round. A stage that reads its
    // own earlier rounds gets a bow at its side.
    let placed = edges.filter { $0.from != $0.to }
    let layout = LayeredLayout(
      sizes, edges: placed.map { $0.isOfEarlierRounds ? ($0.to, $0.from) : ($0.from, $0.to) })
    var drawing = SVG()
    for (edge, route) in zip(placed, layout.routes) {
      draw(edge, GraphDrawing.course(edge.isOfEarlierRounds ? route.reversed() : route), in: &drawing)
    }
    for edge in edges where edge.from == edge.to {
      let (center, size) = (layout.centers[edge.from], sizes[edge.from])
      let (x, top, bottom) = (center.x + size.width / 2, center.y - 14, center.y + 14)
      let bow = [(x + 26, bottom), (x + 26, top), (x, top)].map { GraphDrawing.point($0, $1) }
      draw(edge, "M\(GraphDrawing.point(x, bottom)) C\(bow.joined(separator: " "))", in: &drawing)
    }
    for ((node, center), size) in zip(zip(nodes, layout.centers), sizes) {
      drawing.group { box(node, center, size, in: &$0) }
    }
    let legend = drawLegend(top: layout.height, in: &drawing)
    return (
      drawing, SVG.number(max(layout.width, legend.width)), SVG.number(layout.height + legend.height)
    )
  }

  private func draw(_ edge: Edge, _ course: String, in drawing: inout SVG) {
    let style = [("fill", "none"), ("stroke", "#777777"), ("stroke-width", "1.2"), ("class", "edge")]
    let dashes = edge.isOfEarlierRounds ? [("stroke-dasharray", "5 3")] : []
    drawing.add(
      "path", [("d", course)] + style + dashes + [("marker-end", "url(#tip)")],
      title: "\(nodes[edge.from].name).\(edge.label) → \(nodes[edge.to].name)")
  }

  private func box(_ node: Node, _ center: LayeredLayout.Point, _ size: LayeredLayout.Size, in drawing: inout SVG) {
    let (fill, line) = GraphDrawing.colors(node.state)
    let (x, y) = (center.x - size.width / 2, center.y - size.height / 2)
    let dashes = node.state == .waiting ? [("stroke-dasharray", "5 3")] : []
    // Behind the front box the edges of others tell that it stands for many.
    for shift in node.isFannedOut ? [6.0, 3, 0] : [0] {
      let place = [("x", x + shift), ("y", y + shift), ("width", size.width), ("height", size.height)]
      drawing.add(
        "rect",
        place.map { ($0.0, SVG.number($0.1)) } + [("rx", "7"), ("fill", fill), ("stroke", line)] + dashes
          + [("class", "box \(node.state.rawValue)")])
    }
    func text(_ text: String, _ dy: Double, _ size: Double, _ style: [(String, String)]) {
      drawing.add(
        "text",
        [("x", SVG.number(center.x)), ("y", SVG.number(y + dy)), ("text-anchor", "middle")]
          + [("font-size", SVG.number(size))] + style, text: text)
    }
    text(
      node.name, 21, GraphDrawing.nameSize, [("font-weight", "bold"), ("fill", "#1a1a1a"), ("class", "name")])
    text(node.kind, 36, GraphDrawing.smallSize, [("fill", "#555555"), ("class", "kind")])
    text(node.text, 51, GraphDrawing.smallSize, [("fill", line), ("class", "word \(node.state.rawValue)")])
    guard let fraction = node.fraction else { return }
    for (share, colour, part) in [(1.0, "#ffffff", "bar"), (fraction, line, "done \(node.state.rawValue)")] {
      let place = [("x", x + 8), ("y", y + size.height - 6), ("width", (size.width - 16) * share)]
      drawing.add(
        "rect",
        place.map { ($0.0, SVG.number($0.1)) } + [("height", "3"), ("rx", "1.5"), ("fill", colour), ("class", part)])
    }
  }

  /// The states that occur, under the picture.
  private func drawLegend(top: Double, in drawing: inout SVG) -> (width: Double, height: Double) {
    var x = 20.0
    for state in [Plan.State.cached, .partial, .stale, .missing, .failed, .waiting] {
      let count = nodes.count { $0.state == state }
      guard count > 0 else { continue }
      let (fill, line) = GraphDrawing.colors(state)
      drawing.add(
        "rect",
        [("x", SVG.number(x)), ("y", SVG.number(top)), ("width", "14"), ("height", "14"), ("rx", "3")]
          + [("fill", fill), ("stroke", line), ("class", "box \(state.rawValue)")])
      let text = "\(state.rawValue) (\(count))"
      drawing.add(
        "text",
        [("x", SVG.number(x + 20)), ("y", SVG.number(top + 11)), ("font-size", SVG.number(GraphDrawing.smallSize))]
          + [("fill", "#333333"), ("class", "kind")], text: text)
      x += 20 + SVG.width(of: text, size: GraphDrawing.smallSize) + 18
    }
    return (x, 30)
  }

  /// A smooth line that leaves and enters every point vertically.
  private static func course(_ points: [LayeredLayout.Point]) -> String {
    guard let start = points.first else { return "" }
    var text = "M\(point(start.x, start.y))"
    for (a, b) in zip(points, points.dropFirst()) {
      if a.x == b.x {
        text += " L\(point(b.x, b.y))"
      } else {
        let middle = (a.y + b.y) / 2
        text += " C\(point(a.x, middle)) \(point(b.x, middle)) \(point(b.x, b.y))"
      }
    }
    return text
  }

  private static func point(_ x: Double, _ y: Double) -> String { "\(SVG.number(x)),\(SVG.number(y))" }
}
