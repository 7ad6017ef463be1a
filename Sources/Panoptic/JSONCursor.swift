import Determinism

/// A value in a JSON file together with its place, so that every wrong value is reported as
/// `file.json: annotations[3].segments_info[0].area: error: ...`.
struct JSONCursor {
  let tree: JSONTree
  let file: String
  /// `annotations[3].area`; empty for the document.
  let path: String

  /// Reads and parses a file.
  init(contentsOf file: String) throws { try self.init(JSONCursor.bytes(of: file), place: file) }

  private static func bytes(of file: String) throws -> [UInt8] {
    do {
      return try FileIO.read(file)
    } catch {
      guard error.isUserData else { throw error }
      throw PanopticError(.unreadable, at: file, "the file is missing or cannot be read (\(error.description))")
    }
  }

  /// Parses a document. A byte order mark in front, which editors on Windows write, is no part of it.
  /// - Throws: `PanopticError.Code.malformedJSON` at `place:line:column`.
  init(_ text: [UInt8], place: String) throws {
    let content = TextLines.withoutByteOrderMark(text)
    do {
      tree = try JSONTree.parse(content.count == text.count ? text : Array(content))
    } catch {
      throw PanopticError(
        .malformedJSON, at: "\(place):\(error.line):\(error.column)", "\(error.message); this is not valid JSON")
    }
    (file, path) = (place, "")
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

  /// The member called `name`; nil where there is none or it is null.
  /// - Throws: also where there are several, of which JSON does not say which counts.
  func optional(_ name: String) throws -> JSONCursor? {
    guard case .object(let members) = tree else { throw wrongType("an object") }
    guard let index = members.firstIndex(where: { $0.name == name }) else { return nil }
    guard !members[(index + 1)...].contains(where: { $0.name == name }) else {
      throw error(.duplicateMember, "'\(name)' stands here twice")
    }
    if case .null = members[index].value { return nil }
    return JSONCursor(tree: members[index].value, file: file, path: path.isEmpty ? name : "\(path).\(name)")
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

  /// An integer; `20.0` counts as 20, since some tools write so, up to 2^53, above which such a number may have been
  /// another one.
  func integer(in range: ClosedRange<Int> = Int.min...Int.max) throws -> Int {
    let value: Int
    switch tree {
    case .integer(let i): value = i
    case .number(let d):
      guard d == d.rounded() else { throw wrongType("a whole number") }
      guard d.magnitude <= 0x1p53, let whole = Int(exactly: d) else {
        throw error(.invalidValue, "\(d) is out of range for a whole number")
      }
      value = whole
    default: throw wrongType("an integer")
    }
    guard range.contains(value) else {
      let limit = value < range.lowerBound ? "at least \(range.lowerBound)" : "at most \(range.upperBound)"
      throw error(.invalidValue, "\(value) should be \(limit)")
    }
    return value
  }

  /// A number; finite, since JSON has no other.
  func number(in range: ClosedRange<Double> = -.greatestFiniteMagnitude...(.greatestFiniteMagnitude)) throws -> Double {
    let value: Double
    switch tree {
    case .integer(let i): value = Double(i)
    case .number(let d): value = d
    default: throw wrongType("a number")
    }
    guard range.contains(value) else {
      let limit = value < range.lowerBound ? "at least \(range.lowerBound)" : "at most \(range.upperBound)"
      throw error(.invalidValue, "\(value) should be \(limit)")
    }
    return value
  }

  /// 0, 1, false or true.
  func flag() throws -> Bool {
    if case .bool(let b) = tree { return b }
    return try integer(in: 0...1) == 1
  }
}
