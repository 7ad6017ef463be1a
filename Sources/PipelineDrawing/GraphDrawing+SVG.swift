import Determinism
import PipelineRunner

extension GraphDrawing {
  private static let nameSize = 14.0
  private static let smallSize = 11.0
  private static let boxHeight = 62.0

  /// A picture that stands alone.
  public var svg: String {
    let sizes = nodes.map { node in
      // Sans-serif letters are about 0.6 of their size wide; names are bold.
      let name = Double(node.name.count) * GraphDrawing.nameSize * 0.62
      let rest = Double(max(node.kind.count, node.text.count)) * GraphDrawing.smallSize * 0.56
      return LayeredLayout.Size(width: max(90, max(name, rest) + 28), height: GraphDrawing.boxHeight)
    }
    // What comes from earlier rounds leads back up: for the layout those edges are turned round. A stage that reads its
    // own earlier rounds gets a bow at its side.
    let placed = edges.filter { $0.from != $0.to }
    let layout = LayeredLayout(
      sizes, edges: placed.map { $0.isOfEarlierRounds ? ($0.to, $0.from) : ($0.from, $0.to) })
    let legend = legend(top: layout.height)
    let width = max(layout.width, legend.width)
    let (w, h) = (number(width), number(layout.height + legend.height))
    var out = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(w)\" height=\"\(h)\" viewBox=\"0 0 \(w) \(h)\" "
        + "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">",
      "<title>\(title.clipped(to: 200).escapedForXML)</title>",
      "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
        + "orient=\"auto\"><path d=\"M0,0.5 L7.5,4 L0,7.5 z\" fill=\"#777777\"/></marker></defs>",
      "<rect width=\"\(w)\" height=\"\(h)\" fill=\"#ffffff\"/>",
    ]
    for (edge, route) in zip(placed, layout.routes) {
      out.append(line(edge, path(edge.isOfEarlierRounds ? route.reversed() : route)))
    }
    for edge in edges where edge.from == edge.to {
      let (center, size) = (layout.centers[edge.from], sizes[edge.from])
      let (x, top, bottom) = (center.x + size.width / 2, center.y - 14, center.y + 14)
      let bow = "\(number(x + 26)),\(number(bottom)) \(number(x + 26)),\(number(top)) \(number(x)),\(number(top))"
      out.append(line(edge, "M\(number(x)),\(number(bottom)) C\(bow)"))
    }
    for ((node, center), size) in zip(zip(nodes, layout.centers), sizes) { out += box(node, center, size) }
    return (out + legend.lines + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private func line(_ edge: Edge, _ path: String) -> String {
    let dashes = edge.isOfEarlierRounds ? " stroke-dasharray=\"5 3\"" : ""
    let title = "\(nodes[edge.from].name).\(edge.label) → \(nodes[edge.to].name)".escapedForXML
    return
      "<path d=\"\(path)\" fill=\"none\" stroke=\"#777777\" stroke-width=\"1.2\"\(dashes) marker-end=\"url(#tip)\">"
      + "<title>\(title)</title></path>"
  }

  private func box(_ node: Node, _ center: LayeredLayout.Point, _ size: LayeredLayout.Size) -> [String] {
    let (fill, line) = GraphDrawing.colors(node.state)
    let (x, y) = (center.x - size.width / 2, center.y - size.height / 2)
    let dashes = node.state == .waiting ? " stroke-dasharray=\"5 3\"" : ""
    func frame(_ shift: Double) -> String {
      "<rect x=\"\(number(x + shift))\" y=\"\(number(y + shift))\" width=\"\(number(size.width))\" "
        + "height=\"\(number(size.height))\" rx=\"7\" fill=\"\(fill)\" stroke=\"\(line)\"\(dashes)/>"
    }
    func text(_ text: String, _ dy: Double, _ style: String) -> String {
      "<text x=\"\(number(center.x))\" y=\"\(number(y + dy))\" text-anchor=\"middle\" \(style)>\(text.escapedForXML)</text>"
    }
    // Behind the front box the edges of others tell that it stands for many.
    var out = ["<g>"] + (node.isFannedOut ? [6, 3, 0] : [0]).map(frame)
    out.append(
      text(node.name, 21, "font-size=\"\(number(GraphDrawing.nameSize))\" font-weight=\"bold\" fill=\"#1a1a1a\""))
    out.append(text(node.kind, 36, "font-size=\"\(number(GraphDrawing.smallSize))\" fill=\"#555555\""))
    out.append(text(node.text, 51, "font-size=\"\(number(GraphDrawing.smallSize))\" fill=\"\(line)\""))
    if let fraction = node.fraction {
      let (left, top, length) = (x + 8, y + size.height - 6, size.width - 16)
      for (share, color) in [(1.0, "#ffffff"), (fraction, line)] {
        out.append(
          "<rect x=\"\(number(left))\" y=\"\(number(top))\" width=\"\(number(length * share))\" height=\"3\" rx=\"1.5\" "
            + "fill=\"\(color)\"/>")
      }
    }
    return out + ["</g>"]
  }

  /// The states that occur, under the picture.
  private func legend(top: Double) -> (lines: [String], width: Double, height: Double) {
    var lines = [String]()
    var x = 20.0
    for state in [Plan.State.cached, .partial, .stale, .missing, .failed, .waiting] {
      let count = nodes.count { $0.state == state }
      guard count > 0 else { continue }
      let (fill, line) = GraphDrawing.colors(state)
      lines.append(
        "<rect x=\"\(number(x))\" y=\"\(number(top))\" width=\"14\" height=\"14\" rx=\"3\" fill=\"\(fill)\" "
          + "stroke=\"\(line)\"/>")
      let text = "\(state.rawValue) (\(count))"
      lines.append(
        "<text x=\"\(number(x + 20))\" y=\"\(number(top + 11))\" font-size=\"\(number(GraphDrawing.smallSize))\" "
          + "fill=\"#333333\">\(text)</text>")
      x += 20 + Double(text.count) * GraphDrawing.smallSize * 0.56 + 18
    }
    return (lines, x, 30)
  }

  /// A smooth line that leaves and enters every point vertically.
  private func path(_ points: [LayeredLayout.Point]) -> String {
    guard let start = points.first else { return "" }
    var text = "M\(number(start.x)),\(number(start.y))"
    for (a, b) in zip(points, points.dropFirst()) {
      if a.x == b.x {
        text += " L\(number(b.x)),\(number(b.y))"
      } else {
        let middle = (a.y + b.y) / 2
        text += " C\(number(a.x)),\(number(middle)) \(number(b.x)),\(number(middle)) \(number(b.x)),\(number(b.y))"
      }
    }
    return text
  }

  /// At most one decimal: pictures of equal plans are equal texts.
  private func number(_ value: Double) -> String {
    let tenths = max(-1 << 53, min(1 << 53, Int(saturating: (value * 10).rounded())))
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}
