import Determinism

/// Pieces of a drawing. Numbers have one decimal, so the text is the same on every machine.
struct SVG {
  private var elements: [String] = []

  mutating func text(
    _ content: String, x: Double, y: Double, size: Int = 11, anchor: String = "start", colour: String = "black",
    turn: Int = 0
  ) {
    let rotation = turn == 0 ? "" : " transform=\"rotate(\(turn) \(x.text(digits: 1)) \(y.text(digits: 1)))\""
    elements.append(
      "<text x=\"\(x.text(digits: 1))\" y=\"\(y.text(digits: 1))\" font-size=\"\(size)\" text-anchor=\"\(anchor)\" "
        + "fill=\"\(colour)\"\(rotation)>\(SVG.escaped(content))</text>")
  }

  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: String, stroke: String = "none", title: String = ""
  ) {
    let inner = title.isEmpty ? "/>" : "><title>\(SVG.escaped(title))</title></rect>"
    elements.append(
      "<rect x=\"\(x.text(digits: 1))\" y=\"\(y.text(digits: 1))\" width=\"\(width.text(digits: 1))\" height=\"\(height.text(digits: 1))\" "
        + "fill=\"\(fill)\" stroke=\"\(stroke)\"\(inner)")
  }

  mutating func line(x1: Double, y1: Double, x2: Double, y2: Double, colour: String = "#444", width: Double = 1) {
    elements.append(
      "<path d=\"M\(x1.text(digits: 1)) \(y1.text(digits: 1)) L\(x2.text(digits: 1)) \(y2.text(digits: 1))\" stroke=\"\(colour)\" "
        + "stroke-width=\"\(width.text(digits: 1))\" fill=\"none\"/>")
  }

  mutating func dot(x: Double, y: Double, radius: Double, fill: String) {
    elements.append(
      "<circle cx=\"\(x.text(digits: 1))\" cy=\"\(y.text(digits: 1))\" r=\"\(radius.text(digits: 1))\" fill=\"\(fill)\" "
        + "fill-opacity=\"0.7\"/>")
  }

  mutating func ring(x: Double, y: Double, radius: Double, colour: String) {
    elements.append(
      "<circle cx=\"\(x.text(digits: 1))\" cy=\"\(y.text(digits: 1))\" r=\"\(radius.text(digits: 1))\" fill=\"white\" "
        + "stroke=\"\(colour)\" stroke-width=\"2\"/>")
  }

  mutating func path(_ points: [(x: Double, y: Double)], colour: String, width: Double) {
    guard let first = points.first else { return }
    let rest = points.dropFirst().map { "L\($0.x.text(digits: 1)) \($0.y.text(digits: 1))" }.joined(separator: " ")
    elements.append(
      "<path d=\"M\(first.x.text(digits: 1)) \(first.y.text(digits: 1)) \(rest)\" stroke=\"\(colour)\" "
        + "stroke-width=\"\(width.text(digits: 1))\" fill=\"none\"/>")
  }

  func document(width: Int, height: Int) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
    font-family="sans-serif">
    <rect width="\(width)" height="\(height)" fill="white"/>
    \(elements.joined(separator: "\n"))
    </svg>

    """
  }

  static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
