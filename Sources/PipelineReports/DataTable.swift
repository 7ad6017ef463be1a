import Determinism
import Markup

/// A table of a report. It scrolls in a box of its own where it is wider than the page.
public struct DataTable: Sendable {
  public struct Column: Sendable {
    public var title: String
    public var isNumber: Bool

    public init(_ title: String, isNumber: Bool = false) { (self.title, self.isNumber) = (title, isNumber) }
  }

  /// The content of a cell.
  public typealias Cell = [MarkupNode]

  public var caption: [MarkupNode]
  /// What the box is called for who can't see it.
  public var label: String
  public var columns: [Column]
  /// The first cell of a row is its heading.
  public var rows: [[Cell]]
  /// Rows that are not there because there are too many.
  public var omitted = 0
  public var isSortable = false

  public init(_ label: String, caption: [MarkupNode] = [], columns: [Column], rows: [[Cell]] = []) {
    (self.label, self.columns, self.rows) = (label, columns, rows)
    self.caption = caption.isEmpty ? [HTML.text(label)] : caption
  }

  /// Rows of text.
  public mutating func add(_ cells: [String]) { rows.append(cells.map { [HTML.text($0)] }) }

  public var node: MarkupNode {
    let head = columns.map { column in
      MarkupNode("th", [("scope", "col")] + (column.isNumber ? [("class", "n")] : []), [HTML.text(column.title)])
    }
    let body = rows.map { row in
      MarkupNode(
        "tr", [],
        row.enumerated().map { i, cell in
          let style = columns.indices.contains(i) && columns[i].isNumber ? [("class", "n")] : []
          return i == 0 ? MarkupNode("th", [("scope", "row")] + style, cell) : MarkupNode("td", style, cell)
        })
    }
    let table = MarkupNode(
      "table", isSortable && rows.count > 2 ? [("class", "sortable")] : [],
      [
        MarkupNode("caption", [], caption), MarkupNode("thead", [], [MarkupNode("tr", [], head)]),
        MarkupNode("tbody", [], body),
      ])
    var content = [
      MarkupNode(
        "div",
        [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", label.withoutHiddenControls)],
        [table])
    ]
    if omitted > 0 { content.append(HTML.paragraph("... and \(omitted) more", class: "note")) }
    return MarkupNode("div", [("class", "table")], content)
  }
}
