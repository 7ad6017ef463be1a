import Determinism
import Markup

/// Elements of a page, for text from anywhere.
public enum HTML {
  /// Text that can't pretend to be something else.
  public static func text(_ text: String) -> MarkupNode { .text(text.withoutHiddenControls) }

  public static func paragraph(_ text: String, class style: String = "") -> MarkupNode {
    paragraph([HTML.text(text)], class: style)
  }

  public static func paragraph(_ content: [MarkupNode], class style: String = "") -> MarkupNode {
    MarkupNode("p", style.isEmpty ? [] : [("class", style)], content)
  }

  public static func code(_ text: String) -> MarkupNode { MarkupNode("code", [], [HTML.text(text)]) }

  public static func strong(_ text: String) -> MarkupNode { MarkupNode("strong", [], [HTML.text(text)]) }

  /// A heading of a part of a section.
  public static func heading(_ content: [MarkupNode], id: String = "") -> MarkupNode {
    MarkupNode("h3", id.isEmpty ? [] : [("id", id)], content)
  }

  /// Lines of a program, in a box that scrolls.
  public static func block(_ text: String, label: String) -> MarkupNode {
    MarkupNode(
      "pre", [("tabindex", "0"), ("role", "region"), ("aria-label", label.withoutHiddenControls)],
      [MarkupNode("code", [], [HTML.text(text)])])
  }

  /// What is shown on demand; on paper it is shown, unless it is `isLong`.
  public static func details(
    _ summary: [MarkupNode], _ content: [MarkupNode], id: String = "", isLong: Bool = false, isOpen: Bool = false
  ) -> MarkupNode {
    var attributes = id.isEmpty ? [] : [("id", id)]
    if isLong { attributes.append(("class", "long")) }
    if isOpen { attributes.append(("open", "open")) }
    return MarkupNode("details", attributes, [MarkupNode("summary", [], summary)] + content)
  }

  /// Names with their values, as a list.
  public static func facts(_ facts: [(name: String, value: [MarkupNode])]) -> MarkupNode {
    MarkupNode(
      "dl", [],
      facts.map { fact in
        MarkupNode("div", [], [MarkupNode("dt", [], [HTML.text(fact.name)]), MarkupNode("dd", [], fact.value)])
      })
  }

  /// A word in a coloured frame.
  /// - Parameter style: `good`, `bad`, `open` or a state of a plan.
  public static func badge(_ text: String, _ style: String) -> MarkupNode {
    MarkupNode("span", [("class", "badge \(style)")], [HTML.text(text)])
  }

  /// A number as people read it, with its exact value.
  public static func number(_ value: CanonicalValue, shown: String? = nil) -> MarkupNode {
    MarkupNode("data", [("value", value.canonicalText)], text: shown ?? HTML.shown(value))
  }

  /// Four decimals where there are decimals at all; small numbers with their power of ten.
  static func shown(_ value: CanonicalValue) -> String {
    guard case .number(let number) = value, number != number.rounded() || number.magnitude >= 1e15 else {
      return value.canonicalText
    }
    if number.magnitude >= 1e12 { return number.description }
    if number.magnitude >= 1000 { return number.text(digits: 1) }
    if number.magnitude >= 0.001 { return number.text(digits: 4) }
    // 0.000123456 as 1.23e-04.
    var (mantissa, power) = (number, 0)
    while mantissa.magnitude < 1, power < 400 { (mantissa, power) = (mantissa * 10, power + 1) }
    return "\(mantissa.text(digits: 2))e-\(power)"
  }
}
