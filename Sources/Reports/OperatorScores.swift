import Markup

/// A heat map of the scores of every operator in every layer after all cycles of a search: Figure 2a of the paper. Darker
/// cells have higher scores. The selected operator of a layer is framed.
public struct OperatorScores: Sendable {
  /// The layers of one searched component.
  public struct Part: Sendable {
    public var title: String
    /// Names of the choices, from top to bottom.
    public var choices: [String]
    /// Scores: `table[choice][layer]`.
    public var table: [[Int]]
    /// The index of the selected choice of every layer.
    public var selected: [Int]
    /// Numbers of layers after which a line is drawn, such as the ends of stages.
    public var ends: [Int]

    /// - Precondition: the table has a row for every choice, and each row a cell for every layer of `selected`.
    public init(title: String, choices: [String], table: [[Int]], selected: [Int], ends: [Int] = []) {
      precondition(
        table.count == choices.count && table.allSatisfy { $0.count == selected.count }, "OperatorScores: \(title)")
      (self.title, self.choices, self.table, self.selected, self.ends) = (title, choices, table, selected, ends)
    }
  }

  public let title: String
  public let parts: [Part]

  public init(title: String, parts: [Part]) { (self.title, self.parts) = (title, parts) }

  /// The drawing; the same text on every machine.
  public var svg: String {
    let (cell, left, margin) = (20.0, 120.0, 20.0)
    var drawing = SVG()
    drawing.text(title, x: margin, y: 28, size: 16)
    var y = 60.0
    for part in parts {
      let layers = part.table.first?.count ?? 0
      // The choices of a layer share its total score, so choices score higher in parts with fewer of them.
      let scores = part.table.joined()
      let (lowest, highest) = (scores.min() ?? 0, scores.max() ?? 1)
      drawing.text(part.title, x: margin, y: y, size: 13)
      y += 10
      for (row, name) in part.choices.enumerated() {
        drawing.text(name, x: left - 8, y: y + (Double(row) + 0.7) * cell, anchor: "end")
      }
      for layer in 0..<layers {
        let column = part.table.map { $0[layer] }
        for (row, score) in column.enumerated() {
          let share = Double(score - lowest) / Double(max(1, highest - lowest))
          let (x, top) = (left + Double(layer) * cell, y + Double(row) * cell)
          drawing.rectangle(
            x: x + 0.5, y: top + 0.5, width: cell - 1, height: cell - 1, fill: OperatorScores.colour(share),
            stroke: row == part.selected[layer] ? "#c1272d" : "none",
            title: "layer \(layer + 1), \(part.choices[row]): \(score)")
          drawing.text(
            "\(score)", x: x + cell / 2, y: top + 13, size: 8, anchor: "middle",
            colour: share > 0.55 ? "white" : "black")
        }
        drawing.text(
          "\(layer + 1)", x: left + (Double(layer) + 0.5) * cell, y: y + Double(part.choices.count) * cell + 11,
          size: 8,
          anchor: "middle", colour: "#444")
      }
      for end in part.ends {
        let x = left + Double(end) * cell
        drawing.line(x1: x, y1: y - 3, x2: x, y2: y + Double(part.choices.count) * cell + 3, colour: "#888")
      }
      y += Double(part.choices.count) * cell + 40
    }
    let widest = parts.map { $0.table.first?.count ?? 0 }.max() ?? 0
    return drawing.document(width: Int(left + Double(widest) * cell + margin), height: Int(y))
  }

  /// From white to dark blue.
  private static func colour(_ share: Double) -> String {
    let (light, dark) = ([247.0, 251, 255], [8.0, 48, 107])
    let parts = zip(light, dark).map { Int(($0 + ($1 - $0) * share).rounded()) }
    return "rgb(\(parts[0]),\(parts[1]),\(parts[2]))"
  }
}
