import Markup

/// Rows of labelled blocks, as in the supplement's Figure 1: an SVG of the searched layers of one network, in order.
///
/// Equal labels have equal colours.
public struct BlockDiagram: Sendable {
  /// One labelled row of blocks.
  public struct Row: Sendable {
    public var name: String
    /// Labels of the blocks, starting at the input.
    public var blocks: [String]
    /// Whether each block reads the one before; otherwise the blocks are parallel.
    public var isChain: Bool

    public init(name: String, blocks: [String], isChain: Bool = true) {
      (self.name, self.blocks, self.isChain) = (name, blocks, isChain)
    }
  }

  public let title: String
  public let rows: [Row]

  public init(title: String, rows: [Row]) { (self.title, self.rows) = (title, rows) }

  private static let (blockWidth, blockHeight, gap, margin, nameWidth) = (74, 30, 10, 20, 150)
  /// Longer rows are wrapped.
  private static let blocksPerLine = 8
  /// Distinguishable with colour vision deficiencies (Okabe and Ito 2008, lightened for black text).
  private static let palette = [
    "#a6d3ee", "#f7c36b", "#8fd4b9", "#f3ec9b", "#7fb2d6", "#eda57a", "#e3b5d0", "#c9c9c9", "#b8e0a0", "#d6c3f0",
    "#f5b8b8", "#b5e3e3", "#e0d0a8",
  ]

  private var labels: [String] {
    var seen: [String] = []
    for label in rows.flatMap(\.blocks) where !seen.contains(label) { seen.append(label) }
    return seen
  }

  private var drawing: (drawing: SVG, width: Int, height: Int) {
    let labels = labels
    let (w, h, gap, margin) = (BlockDiagram.blockWidth, BlockDiagram.blockHeight, BlockDiagram.gap, BlockDiagram.margin)
    let left = margin + BlockDiagram.nameWidth
    let width = left + BlockDiagram.blocksPerLine * (w + gap) + margin
    var drawing = SVG()
    draw(title, x: margin, y: margin + 12, anchor: "start", size: 16, in: &drawing)
    var y = margin + 36
    for row in rows {
      let lines = max(1, (row.blocks.count + BlockDiagram.blocksPerLine - 1) / BlockDiagram.blocksPerLine)
      draw(row.name, x: margin, y: y + 20, anchor: "start", size: 13, in: &drawing)
      for (i, label) in row.blocks.enumerated() {
        let x = left + i % BlockDiagram.blocksPerLine * (w + gap)
        let top = y + i / BlockDiagram.blocksPerLine * (h + gap)
        // The line from the block before.
        if row.isChain && i % BlockDiagram.blocksPerLine > 0 {
          drawing.add("path", [("d", "M\(x - gap) \(top + h / 2) h\(gap)"), ("stroke", "#555")])
        }
        let colour = BlockDiagram.palette[labels.firstIndex(of: label)! % BlockDiagram.palette.count]
        let place = [("x", "\(x)"), ("y", "\(top)"), ("width", "\(w)"), ("height", "\(h)")]
        drawing.add("rect", place + [("rx", "4"), ("fill", colour), ("stroke", "#555")])
        draw(label, x: x + w / 2, y: top + 19, anchor: "middle", size: 10, in: &drawing)
      }
      y += lines * (h + gap) + 14
    }
    return (drawing, width, y + margin / 2)
  }

  /// The drawing; the same text on every machine.
  public var svg: String {
    let (drawing, width, height) = self.drawing
    return drawing.document(width: width, height: height)
  }

  /// The drawing as a part of an HTML page.
  public var inline: MarkupNode {
    let (drawing, width, height) = self.drawing
    return drawing.inline(width: "\(width)", height: "\(height)", title: title)
  }

  private func draw(_ content: String, x: Int, y: Int, anchor: String, size: Int, in drawing: inout SVG) {
    drawing.add(
      "text", [("x", "\(x)"), ("y", "\(y)"), ("font-size", "\(size)"), ("text-anchor", anchor)], text: content)
  }
}
