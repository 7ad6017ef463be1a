import Determinism

/// An SVG drawing. Coordinates have one decimal, so the text is the same on every machine.
public struct SVG: Sendable {
  private var nodes: [MarkupNode] = []

  public init() {}

  /// How coordinates are written.
  public static func number(_ value: Double) -> String { value.text(digits: 1) }

  /// About how wide a text becomes, in a usual sans-serif font.
  public static func width(of text: String, size: Double, isBold: Bool = false) -> Double {
    Double(text.count) * size * (isBold ? 0.62 : 0.56)
  }

  // MARK: Elements

  /// Adds an element.
  /// - Parameters:
  ///   - text: its content.
  ///   - title: what is shown and read aloud for it.
  public mutating func add(_ name: String, _ attributes: [(String, String)], text: String? = nil, title: String = "") {
    var content = title.isEmpty ? [] : [MarkupNode("title", [], text: title)]
    if let text { content.append(.text(text)) }
    nodes.append(MarkupNode(name, attributes, content))
  }

  /// Adds what `draw` draws as a group.
  public mutating func group(_ attributes: [(String, String)] = [], draw: (inout SVG) -> Void) {
    var inner = SVG()
    draw(&inner)
    nodes.append(MarkupNode("g", attributes, inner.lines))
  }

  public mutating func text(
    _ content: String, x: Double, y: Double, size: Int = 11, anchor: String = "start", colour: String = "black",
    rotation degrees: Int = 0
  ) {
    let (x, y) = (SVG.number(x), SVG.number(y))
    let rotation = degrees == 0 ? [] : [("transform", "rotate(\(degrees) \(x) \(y))")]
    let style = [("x", x), ("y", y), ("font-size", "\(size)"), ("text-anchor", anchor), ("fill", colour)]
    add("text", style + rotation, text: content)
  }

  public mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: String, stroke: String = "none", title: String = ""
  ) {
    let place = [("x", x), ("y", y), ("width", width), ("height", height)].map { ($0.0, SVG.number($0.1)) }
    add("rect", place + [("fill", fill), ("stroke", stroke)], title: title)
  }

  public mutating func line(x1: Double, y1: Double, x2: Double, y2: Double, colour: String = "#444", width: Double = 1)
  {
    path([(x1, y1), (x2, y2)], colour: colour, width: width)
  }

  public mutating func dot(x: Double, y: Double, radius: Double, fill: String) {
    circle(x, y, radius, [("fill", fill), ("fill-opacity", "0.7")])
  }

  public mutating func ring(x: Double, y: Double, radius: Double, colour: String) {
    circle(x, y, radius, [("fill", "white"), ("stroke", colour), ("stroke-width", "2")])
  }

  private mutating func circle(_ x: Double, _ y: Double, _ radius: Double, _ style: [(String, String)]) {
    add("circle", [("cx", SVG.number(x)), ("cy", SVG.number(y)), ("r", SVG.number(radius))] + style)
  }

  /// A line through points; none where there are none.
  public mutating func path(
    _ points: [(x: Double, y: Double)], colour: String, width: Double, attributes: [(String, String)] = [],
    title: String = ""
  ) {
    guard !points.isEmpty else { return }
    let style = [("stroke", colour), ("stroke-width", SVG.number(width)), ("fill", "none")]
    add("path", [("d", SVG.course(points))] + style + attributes, title: title)
  }

  /// The course of a line through points, for the attribute `d` of a path.
  public static func course(_ points: [(x: Double, y: Double)]) -> String {
    points.enumerated().map { "\($0.offset == 0 ? "M" : "L")\(number($0.element.x)) \(number($0.element.y))" }
      .joined(separator: " ")
  }

  // MARK: Documents

  /// One element a line.
  private var lines: [MarkupNode] { nodes.flatMap { [.text("\n"), $0] } + [.text("\n")] }

  /// A picture that stands alone.
  /// - Parameters:
  ///   - title: its name, for who can't see it; empty for none.
  ///   - definitions: what elements refer to, such as markers.
  public func document(
    width: String, height: String, font: String = "sans-serif", title: String = "", definitions: [MarkupNode] = []
  ) -> String {
    let background = MarkupNode("rect", [("width", width), ("height", height), ("fill", "white")])
    return root(width, height, [("font-family", font)], title, definitions, [background]).markup + "\n"
  }

  public func document(width: Int, height: Int) -> String { document(width: "\(width)", height: "\(height)") }

  /// The same as a part of an HTML page, without a background: the page's style sheet may change colours by class.
  /// - Parameter title: its name, for who can't see it.
  public func inline(width: String, height: String, title: String, definitions: [MarkupNode] = []) -> MarkupNode {
    root(width, height, [("role", "img"), ("aria-label", title)], "", definitions, [])
  }

  private func root(
    _ width: String, _ height: String, _ attributes: [(String, String)], _ title: String, _ definitions: [MarkupNode],
    _ background: [MarkupNode]
  ) -> MarkupNode {
    var head = title.isEmpty ? [] : [MarkupNode("title", [], text: title)]
    if !definitions.isEmpty { head.append(MarkupNode("defs", [], definitions)) }
    let size = [
      ("xmlns", "http://www.w3.org/2000/svg"), ("width", width), ("height", height),
      ("viewBox", "0 0 \(width) \(height)"),
    ]
    return MarkupNode("svg", size + attributes, (head + background).flatMap { [.text("\n"), $0] } + lines)
  }
}
