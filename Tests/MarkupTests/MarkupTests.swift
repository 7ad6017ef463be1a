import Determinism
import Foundation
import FoundationXML
import Testing

@testable import Markup

@Suite("Markup")
struct MarkupTests {
  @Test("text is escaped even before a combining mark, and what XML can't hold is replaced")
  func escaping() {
    let text = "<\u{301}&\u{301}>\u{301}\"\u{301}\u{0}\u{1B}\u{FFFF}"
    for escaped in [text.escapedForMarkup, text.escapedForAttribute] {
      #expect(escaped.unicodeScalars.allSatisfy { !["<", ">", "\u{0}", "\u{1B}", "\u{FFFF}"].contains($0) })
    }
    #expect("<a b=\"c\">&'\n\t".escapedForMarkup == "&lt;a b=\"c\"&gt;&amp;'\n\t")
    #expect("<a b=\"c\">&".escapedForAttribute == "&lt;a b=&quot;c&quot;&gt;&amp;")
    #expect("\u{85}".escapedForMarkup == "\u{85}" && "\u{85}".escapedForAttribute == "\u{FFFD}")
    #expect("a\u{202E}b\u{2066}c\u{200F}\td\u{1B}".withoutHiddenControls == "a\u{FFFD}b\u{FFFD}c\u{FFFD}\td\u{FFFD}")
  }

  @Test(
    "nodes are written as XML that parsers of HTML read alike: void elements closed at once, all others with an end")
  func writing() {
    let node = MarkupNode(
      "p", [("class", "a\"b")], ["x < y", MarkupNode("br", []), MarkupNode("span", []), MarkupNode("b", [], text: "&")])
    #expect(node.markup == "<p class=\"a&quot;b\">x &lt; y<br/><span></span><b>&amp;</b></p>")
    #expect(XMLParser(data: Data(node.markup.utf8)).parse())
  }

  @Test("a drawing has one element a line, coordinates with one decimal, and titles for who can't see it")
  func drawing() {
    var drawing = SVG()
    drawing.text("a < b", x: 1, y: 2.25, size: 16)
    drawing.rectangle(x: 0.5, y: 1, width: 2, height: 3, fill: "red", title: "a & b")
    drawing.line(x1: 0, y1: 0, x2: 1, y2: 1)
    drawing.group { $0.dot(x: 1, y: 1, radius: 2, fill: "blue") }
    #expect(
      drawing.document(width: 10, height: 20) == """
        <svg xmlns="http://www.w3.org/2000/svg" width="10" height="20" viewBox="0 0 10 20" font-family="sans-serif">
        <rect width="10" height="20" fill="white"/>
        <text x="1.0" y="2.3" font-size="16" text-anchor="start" fill="black">a &lt; b</text>
        <rect x="0.5" y="1.0" width="2.0" height="3.0" fill="red" stroke="none"><title>a &amp; b</title></rect>
        <path d="M0.0 0.0 L1.0 1.0" stroke="#444" stroke-width="1.0" fill="none"/>
        <g>
        <circle cx="1.0" cy="1.0" r="2.0" fill="blue" fill-opacity="0.7"/>
        </g>
        </svg>

        """)
    let inline = drawing.inline(width: "10", height: "20", title: "\"q\"").markup
    #expect(inline.contains("role=\"img\" aria-label=\"&quot;q&quot;\"") && !inline.contains("fill=\"white\""))
  }

  @Test(
    "an axis for numbers of any size has a few ticks, one below and one above all values",
    arguments: [
      [0.0, 1], [3.2e-7, 4.1e-7], [1e9, 2.5e9], [5, 5], [0, 0], [-3, 7.2], [1e29, -1e29], [0.001],
    ])
  func axes(values: [Double]) throws {
    let axis = Axis(ofAnySize: values)
    let ticks = axis.ticks
    #expect((2...12).contains(ticks.count), "\(ticks)")
    #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $0 < $1 })
    for value in values { #expect((-0.001...1.001).contains(axis.place(value, from: 0, to: 1))) }
    #expect(Set(ticks.map(axis.text)).count == ticks.count)
  }

  @Test("a chart draws its lines, names them, and leaves out numbers beyond all measure")
  func charts() {
    let chart = LineChart(
      title: "training", unit: "updates",
      lines: [
        .init(name: "loss <&>", points: (0..<50).map { (Double($0), 1 / Double($0 + 1)) }),
        .init(name: "one", points: [(1, 0.5)]), .init(name: "none", points: []),
        .init(name: "wild", points: [(0, .infinity), (1, .nan), (2, 1e300), (3, 0.25)]),
      ])
    for text in [chart.svg, chart.inline.markup] {
      #expect(XMLParser(data: Data(text.utf8)).parse())
      #expect(!text.contains("nan") && !text.contains("inf") && text.contains("loss &lt;&amp;&gt;"))
      #expect(text.components(separatedBy: "<circle").count == 3)
    }
    let empty = LineChart(title: "", unit: "", lines: [])
    #expect(XMLParser(data: Data(empty.svg.utf8)).parse())
  }
}
