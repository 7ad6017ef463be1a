import Determinism
import Foundation

/// A value in a JSON file together with its place, so that every wrong value is reported as
/// `file.json: annotations[3].segments_info[0].area: error: ...`.
struct JSONCursor {
  let tree: JSONTree
  let file: String
  /// `annotations[3].area`; empty for the document.
  let path: String

  /// Reads and parses a file.
  init(contentsOf file: String) throws {
    guard let data = FileManager.default.contents(atPath: file) else {
      throw PanopticError(.unreadable, at: file, "the file is missing or cannot be read")
    }
    tree = try JSONCursor.parse([UInt8](data), file: file)
    (self.file, path) = (file, "")
  }

  /// - Throws: `PanopticError.Code.malformedJSON` at `file:line:column`.
  static func parse(_ text: [UInt8], file: String) throws -> JSONTree {
    do {
      return try JSONTree.parse(text)
    } catch {
      throw PanopticError(
        .malformedJSON, at: "\(file):\(error.line):\(error.column)", "\(error.message); this is not valid JSON")
    }
  }

  init(tree: JSONTree, file: String, path: String) {
    (self.tree, self.file, self.path) = (tree, file, path)
  }

  var place: String { path.isEmpty ? file : "\(file): \(path)" }

  func error(_ code: PanopticError.Code, _ message: String) -> PanopticError {
    PanopticError(code, at: place, message)
  }

  private func wrongType(_ expected: String) -> PanopticError {
    error(.wrongType, "expected \(expected), found \(tree.kind)")
  }

  /// The member called `name`; nil where there is none or it is null. The last of several counts.
  func optional(_ name: String) throws -> JSONCursor? {
    guard case .object(let members) = tree else { throw wrongType("an object") }
    guard let member = members.last(where: { $0.name == name }) else { return nil }
    if case .null = member.value { return nil }
    return JSONCursor(tree: member.value, file: file, path: path.isEmpty ? name : "\(path).\(name)")
  }

  func member(_ name: String) throws -> JSONCursor {
    guard let member = try optional(name) else { throw error(.missingField, "'\(name)' is missing") }
    return member
  }

  func elements() throws -> [JSONCursor] {
    guard case .array(let elements) = tree else { throw wrongType("an array") }
    return elements.enumerated().map { JSONCursor(tree: $1, file: file, path: "\(path)[\($0)]") }
  }

  func string() throws -> String {
    guard case .string(let text) = tree else { throw wrongType("a string") }
    return text
  }

  /// An integer; `20.0` counts as 20, since some tools write areas so.
  func integer(in range: ClosedRange<Int> = Int.min...Int.max) throws -> Int {
    let value: Int
    switch tree {
    case .integer(let i): value = i
    case .number(let d):
      guard let whole = Int(exactly: d) else { throw wrongType("a whole number") }
      value = whole
    default: throw wrongType("an integer")
    }
    guard range.contains(value) else {
      let limit = value < range.lowerBound ? "at least \(range.lowerBound)" : "at most \(range.upperBound)"
      throw error(.invalidValue, "\(value) should be \(limit)")
    }
    return value
  }

  func number() throws -> Double {
    switch tree {
    case .integer(let i): return Double(i)
    case .number(let d): return d
    default: throw wrongType("a number")
    }
  }

  /// 0, 1, false or true.
  func flag() throws -> Bool {
    if case .bool(let b) = tree { return b }
    return try integer(in: 0...1) == 1
  }
}
