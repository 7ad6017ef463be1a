import Foundation
import FoundationXML

/// A page as a strict parser of XML reads it.
final class HTMLDocument: NSObject, XMLParserDelegate {
  final class Node {
    let name: String
    let attributes: [String: String]
    var children: [Node] = []
    /// Of this element alone.
    var ownText = ""
    weak var parent: Node?

    init(_ name: String, _ attributes: [String: String]) { (self.name, self.attributes) = (name, attributes) }

    /// Of the whole element, with single spaces.
    var text: String {
      ([ownText] + children.map(\.text)).joined(separator: " ").split(whereSeparator: \.isWhitespace)
        .joined(separator: " ")
    }

    /// All elements, this one first.
    var all: [Node] { [self] + children.flatMap(\.all) }
    func all(_ name: String) -> [Node] { all.filter { $0.name == name } }
  }

  struct Malformed: Error, CustomStringConvertible { let description: String }

  private(set) var root = Node("", [:])
  private var open: [Node] = []

  init(_ text: String) throws {
    super.init()
    // The doctype of HTML is none that parsers of XML load.
    let parser = XMLParser(data: Data(text.replacing("<!DOCTYPE html>\n", with: "").utf8))
    parser.delegate = self
    open = [root]
    guard parser.parse() else {
      throw Malformed(description: "line \(parser.lineNumber): \(parser.parserError.map { "\($0)" } ?? "")")
    }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    let node = Node(name, attributes)
    node.parent = open.last
    open.last!.children.append(node)
    open.append(node)
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    open.removeLast()
  }

  func parser(_ parser: XMLParser, foundCharacters text: String) { open.last!.ownText += text }

  func all(_ name: String) -> [Node] { root.all(name) }
}
