import Determinism
import Markup

/// Maps of two factors that say in each cell which policy comes first, by how much, and whether that is more than chance.
public struct PolicyMap: Sendable {
  public struct Cell: Sendable {
    /// Place of the winner in the list of policies.
    public var winner: Int
    /// How much better it is than the second.
    public var lead: Double
    /// False where the interval of the lead reaches 0.
    public var isCertain: Bool
    /// A line below, such as a share; empty for none.
    public var note: String
    /// Marked with a frame.
    public var isMarked: Bool

    public init(winner: Int, lead: Double, isCertain: Bool, note: String = "", isMarked: Bool = false) {
      (self.winner, self.lead, self.isCertain) = (winner, lead, isCertain)
      (self.note, self.isMarked) = (note, isMarked)
    }
  }

  public struct Panel: Sendable {
    public var title: String
    /// `cells[row][column]`; nil where nothing is known.
    public var cells: [[Cell?]]

    public init(title: String, cells: [[Cell?]]) { (self.title, self.cells) = (title, cells) }
  }

  public let title: String
  public let policies: [String]
  /// Values of the factors of columns and rows, and their names.
  public let columns: [String]
  public let rows: [String]
  public let across: String
  public let down: String
  public let panels: [Panel]
  /// What notes and frames mean.
  public let caption: [String]

  public init(
    title: String, policies: [String], columns: [String], rows: [String], across: String, down: String,
    panels: [Panel], caption: [String]
  ) {
    (self.title, self.policies, self.columns, self.rows) = (title, policies, columns, rows)
    (self.across, self.down, self.panels, self.caption) = (across, down, panels, caption)
  }

  private static let (cellWidth, cellHeight, left, top, gap) = (62.0, 40.0, 56.0, 70.0, 40.0)

  /// The drawing; the same text on every machine.
  public var svg: String {
    var drawing = SVG()
    drawing.text(title, x: 20, y: 28, size: 16)
    var x = PolicyMap.left
    for (i, name) in policies.enumerated() {
      drawing.rectangle(x: x, y: 40, width: 14, height: 14, fill: CurvePlot.colours[i % CurvePlot.colours.count])
      drawing.text(name, x: x + 20, y: 51)
      x += 44 + SVG.width(of: name, size: 11)
    }
    let width = PolicyMap.left + Double(columns.count) * PolicyMap.cellWidth + PolicyMap.gap
    let height = 64 + Double(rows.count) * PolicyMap.cellHeight
    for (i, panel) in panels.enumerated() {
      draw(panel, x: Double(i % 2) * width, y: PolicyMap.top + Double(i / 2) * height, in: &drawing)
    }
    let bottom = PolicyMap.top + Double((panels.count + 1) / 2) * height
    for (i, line) in caption.enumerated() {
      drawing.text(line, x: 20, y: bottom + 14 + 16 * Double(i), colour: "#555")
    }
    return drawing.document(
      width: SVG.number(width * Double(min(2, max(1, panels.count)))),
      height: SVG.number(bottom + 24 + 16 * Double(caption.count)), title: title)
  }

  private func draw(_ panel: Panel, x: Double, y: Double, in drawing: inout SVG) {
    let left = x + PolicyMap.left
    drawing.text(panel.title, x: left, y: y + 14, size: 13)
    let top = y + 22
    for (j, row) in panel.cells.enumerated() {
      let upper = top + Double(j) * PolicyMap.cellHeight
      drawing.text(rows[j], x: left - 6, y: upper + 24, anchor: "end")
      for (i, cell) in row.enumerated() {
        guard let cell else { continue }
        let place = left + Double(i) * PolicyMap.cellWidth
        drawing.add(
          "rect",
          [
            ("x", SVG.number(place)), ("y", SVG.number(upper)), ("width", SVG.number(PolicyMap.cellWidth - 3)),
            ("height", SVG.number(PolicyMap.cellHeight - 3)),
            ("fill", CurvePlot.colours[cell.winner % CurvePlot.colours.count]),
            ("fill-opacity", cell.isCertain ? "0.55" : "0.18"), ("stroke", cell.isMarked ? "black" : "none"),
            ("stroke-width", "2"),
          ])
        let middle = place + (PolicyMap.cellWidth - 3) / 2
        drawing.text("+" + cell.lead.text(digits: 2), x: middle, y: upper + 16, size: 11, anchor: "middle")
        if !cell.note.isEmpty { drawing.text(cell.note, x: middle, y: upper + 30, size: 9, anchor: "middle") }
      }
    }
    let bottom = top + Double(panel.cells.count) * PolicyMap.cellHeight
    for (i, column) in columns.enumerated() {
      drawing.text(
        column, x: left + (Double(i) + 0.48) * PolicyMap.cellWidth, y: bottom + 12, anchor: "middle")
    }
    drawing.text(
      across, x: left + Double(columns.count) * PolicyMap.cellWidth / 2, y: bottom + 28, anchor: "middle",
      colour: "#555")
    drawing.text(
      down, x: x + 14, y: (top + bottom) / 2, anchor: "middle", colour: "#555", rotation: -90)
  }
}
