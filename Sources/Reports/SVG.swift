import Determinism

/// Builds an SVG drawing. Coordinates have one decimal, so the text is the same on every machine.
struct SVG {
  private var elements: [String] = []

  private func n(_ value: Double) -> String { value.text(digits: 1) }

  mutating func text(
    _ content: String, x: Double, y: Double, size: Int = 11, anchor: String = "start", colour: String = "black",
    rotation degrees: Int = 0
  ) {
    let rotation = degrees == 0 ? "" : " transform=\"rotate(\(degrees) \(n(x)) \(n(y)))\""
    elements.append(
      "<text x=\"\(n(x))\" y=\"\(n(y))\" font-size=\"\(size)\" text-anchor=\"\(anchor)\" "
        + "fill=\"\(colour)\"\(rotation)>\(SVG.escaped(content))</text>")
  }

  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: String, stroke: String = "none", title: String = ""
  ) {
    let inner = title.isEmpty ? "/>" : "><title>\(SVG.escaped(title))</title></rect>"
    elements.append(
      "<rect x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\" "
        + "fill=\"\(fill)\" stroke=\"\(stroke)\"\(inner)")
  }

  mutating func line(x1: Double, y1: Double, x2: Double, y2: Double, colour: String = "#444", width: Double = 1) {
    elements.append(
      "<path d=\"M\(n(x1)) \(n(y1)) L\(n(x2)) \(n(y2))\" stroke=\"\(colour)\" "
        + "stroke-width=\"\(n(width))\" fill=\"none\"/>")
  }

  mutating func dot(x: Double, y: Double, radius: Double, fill: String) {
    elements.append(
      "<circle cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(radius))\" fill=\"\(fill)\" "
        + "fill-opacity=\"0.7\"/>")
  }

  mutating func ring(x: Double, y: Double, radius: Double, colour: String) {
    elements.append(
      "<circle cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(radius))\" fill=\"white\" "
        + "stroke=\"\(colour)\" stroke-width=\"2\"/>")
  }

  mutating func path(_ points: [(x: Double, y: Double)], colour: String, width: Double) {
    guard let first = points.first else { return }
    let rest = points.dropFirst().map { "L\(n($0.x)) \(n($0.y))" }.joined(separator: " ")
    elements.append(
      "<path d=\"M\(n(first.x)) \(n(first.y)) \(rest)\" stroke=\"\(colour)\" "
        + "stroke-width=\"\(n(width))\" fill=\"none\"/>")
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

  /// Text escaped for XML; characters that XML can't represent become U+FFFD. Works on scalars: to Swift, `<` followed by
  /// a combining mark is another character; to XML it is not.
  static func escaped(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out.append(contentsOf: "&amp;".unicodeScalars)
      case "<": out.append(contentsOf: "&lt;".unicodeScalars)
      case ">": out.append(contentsOf: "&gt;".unicodeScalars)
      case "\t", "\n": out.append(scalar)
      case "\u{0}"..."\u{1F}", "\u{FFFE}", "\u{FFFF}": out.append("\u{FFFD}")
      default: out.append(scalar)
      }
    }
    return String(out)
  }
}
