/// A piece of a document that is well-formed XML, and where it is HTML, HTML as well.
///
/// What comes from outside enters as text or as the value of an attribute and is escaped when it is written; there is no
/// other way in.
public enum MarkupNode: Sendable {
  case text(String)
  indirect case element(Element)
  /// Text of this program that parsers of HTML take as it is: a style sheet, a script.
  case verbatim(String)

  public struct Element: Sendable {
    public var name: String
    /// In the order in which they are written.
    public var attributes: [(name: String, value: String)]
    public var content: [MarkupNode]

    public init(_ name: String, _ attributes: [(String, String)], _ content: [MarkupNode]) {
      self.name = name
      self.attributes = attributes.map { (name: $0.0, value: $0.1) }
      self.content = content
    }
  }

  // Attributes have no default: Swift takes `MarkupNode("br")` for the text "br".

  public init(_ name: String, _ attributes: [(String, String)], _ content: [MarkupNode] = []) {
    self = .element(Element(name, attributes, content))
  }

  public init(_ name: String, _ attributes: [(String, String)], text: String) {
    self = .element(Element(name, attributes, [.text(text)]))
  }

  /// Elements that HTML, or SVG as all programs write it, closes at once. Any other needs an end tag, also where it is
  /// empty.
  private static let closed: Set<String> = [
    "meta", "link", "br", "hr", "img", "col", "wbr", "input", "rect", "path", "circle", "line", "use", "stop",
  ]

  /// Writes the node.
  public func write(to out: inout String) {
    switch self {
    case .text(let text): out += text.escapedForMarkup
    case .verbatim(let text):
      precondition(
        !text.contains("<") && !text.contains("&") && !text.contains("]]>"), "verbatim text that needs escapes")
      out += text
    case .element(let element):
      out += "<\(element.name)"
      for attribute in element.attributes { out += " \(attribute.name)=\"\(attribute.value.escapedForAttribute)\"" }
      if element.content.isEmpty, MarkupNode.closed.contains(element.name) {
        out += "/>"
        return
      }
      out += ">"
      for node in element.content { node.write(to: &out) }
      out += "</\(element.name)>"
    }
  }

  public var markup: String {
    var out = ""
    write(to: &out)
    return out
  }
}

extension MarkupNode: ExpressibleByStringLiteral {
  public init(stringLiteral value: String) { self = .text(value) }
}
