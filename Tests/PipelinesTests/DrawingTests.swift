import Determinism
import Foundation
import Testing

@testable import PipelineDrawing

@Suite("The drawing of a pipeline")
struct DrawingTests {
  /// A random acyclic graph: box `i` depends on some earlier boxes.
  private static func edges(_ boxes: Int, seed: UInt64) -> [(from: Int, to: Int)] {
    var random = Seeds(kind: "drawing", seed: seed).stream("edges")
    return (1..<boxes).flatMap { to in
      Set((0..<(1 + random.below(3))).map { _ in random.below(to) }).sorted().map { (from: $0, to: to) }
    }
  }

  @Test("boxes never overlap, edges lead downward, and equal graphs give equal pictures", arguments: 0..<20)
  func layout(seed: Int) {
    let count = 3 + seed
    let sizes = (0..<count).map { LayeredLayout.Size(width: Double(60 + 13 * ($0 % 7)), height: 40) }
    let edges = Self.edges(count, seed: UInt64(seed))
    let layout = LayeredLayout(sizes, edges: edges)
    for (edge, route) in zip(edges, layout.routes) {
      #expect(layout.centers[edge.from].y < layout.centers[edge.to].y)
      #expect(zip(route, route.dropFirst()).allSatisfy { $0.y <= $1.y })
    }
    for i in 0..<count {
      for j in 0..<i where layout.centers[i].y == layout.centers[j].y {
        let distance = abs(layout.centers[i].x - layout.centers[j].x)
        #expect(distance >= (sizes[i].width + sizes[j].width) / 2)
      }
      #expect(layout.centers[i].x - sizes[i].width / 2 >= 0)
      #expect(layout.centers[i].x + sizes[i].width / 2 <= layout.width)
    }
    let again = LayeredLayout(sizes, edges: edges)
    #expect(again.centers == layout.centers && again.routes == layout.routes)
  }

  @Test("a chain is a straight line, and a diamond has no crossing")
  func simple() {
    let sizes = (0..<4).map { _ in LayeredLayout.Size(width: 80, height: 40) }
    let chain = LayeredLayout(sizes, edges: [(0, 1), (1, 2), (2, 3)])
    #expect(Set(chain.centers.map(\.x)).count == 1)
    let diamond = LayeredLayout(sizes, edges: [(0, 1), (0, 2), (1, 3), (2, 3)])
    #expect(diamond.centers[0].x == diamond.centers[3].x && diamond.centers[1].y == diamond.centers[2].y)
  }

  @Test("a box shows name, kind and state; instances of a stage share one box with a count")
  func pictures() throws {
    let bench = try Bench()
    try bench.run(TestPipelines.search)
    let drawing = GraphDrawing(try bench.observer(TestPipelines.search, settings: ["pool.genes=[3, 1, 2, 5]"]).plan())
    #expect(drawing.nodes.map(\.name) == ["pretrain", "pool", "judge", "select"])
    #expect(drawing.nodes.map(\.state) == [.cached, .stale, .waiting, .waiting])
    try bench.run("pipeline: p\nstages:\n  pool: { uses: candidates, with: { genes: [3, 1, 2, 5] } }\n")
    let grown = GraphDrawing(try bench.observer(TestPipelines.search, settings: ["pool.genes=[3, 1, 2, 5]"]).plan())
    #expect(grown.nodes[2].text == "3 of 4 cached" && grown.nodes[2].fraction == 0.75)
    #expect(grown.edges.map(\.label).sorted() == ["list", "quality", "weights"])
    #expect(grown.dot.contains("\"judge\" [label=\"judge\\nevaluate\\n3 of 4 cached\""))
    #expect(grown.dot.contains("\"pool\" -> \"judge\" [label=\"list\"];"))
    #expect(XMLCheck.isWellFormed(grown.svg))
    #expect(grown.svg.components(separatedBy: "<g>").count == 5)
  }

  @Test("an input from an earlier round of a loop is an edge that leads back")
  func loops() throws {
    let bench = try Bench()
    let text = """
      pipeline: p
      stages:
        breed: { uses: breed, repeat: 3, needs: { history: earlier judge.quality } }
        judge: { uses: evaluate, repeat: breed, for-each: breed.genes, needs: { architecture: each } }
      """
    let drawing = GraphDrawing(try bench.observer(text).plan())
    #expect(drawing.edges.map(\.isOfEarlierRounds).sorted { !$0 && $1 } == [false, true])
    #expect(drawing.svg.contains("stroke-dasharray=\"5 3\" marker-end") && XMLCheck.isWellFormed(drawing.svg))
    #expect(drawing.dot.contains("constraint=false"))
  }

  @Test("names are escaped in SVG and DOT")
  func escaping() throws {
    let bench = try Bench()
    let plan = try bench.observer("pipeline: \"<a & \\\"b\\\">\"\nstages:\n  a: { uses: candidates }\n").plan()
    let drawing = GraphDrawing(plan)
    #expect(XMLCheck.isWellFormed(drawing.svg))
    #expect(drawing.dot.hasPrefix("digraph \"<a & \\\"b\\\">\" {"))
    // Swift takes a quote and the mark after it for one character; other programs read a plain quote.
    let name = "\\e<\u{301}&\u{301}\\\"\u{301}\\\\\u{301}\\a" + String(repeating: "x", count: 100_000)
    let odd = GraphDrawing(try bench.observer("pipeline: \"\(name)\"\nstages:\n  a: { uses: candidates }\n").plan())
    #expect(XMLCheck.isWellFormed(odd.svg) && odd.svg.utf8.count < 10_000)
    #expect(odd.svg.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" })
    #expect(odd.dot.hasPrefix("digraph \"\\\\x1b<\u{301}&\u{301}\\\"\u{301}\\\\\u{301}\\\\x07xxx"))
  }
}

enum XMLCheck {
  /// Checks that every tag is closed and every `&` starts an entity: enough for these drawings.
  static func isWellFormed(_ text: String) -> Bool {
    var open = [Substring]()
    // By scalars: to Swift a bracket and a combining mark are one character, to XML they are two.
    for match in text.matches(of: #/<(/?)([a-z]+)[^<>]*?(/?)>/#.matchingSemantics(.unicodeScalar)) {
      if !match.1.isEmpty {
        guard open.popLast() == match.2 else { return false }
      } else if match.3.isEmpty {
        open.append(match.2)
      }
    }
    let rest = text.replacing(#/<[^<>]*>/#.matchingSemantics(.unicodeScalar), with: "")
      .replacing(#/&(amp|lt|gt|quot);/#.matchingSemantics(.unicodeScalar), with: "")
    return open.isEmpty && !rest.unicodeScalars.contains { $0 == "<" || $0 == "&" }
  }
}
