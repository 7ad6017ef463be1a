import Determinism

/// One line of a file with numbers over steps.
package struct CurveLine {
  /// Why a line is none.
  package struct Mistake: Error {
    package let message: String
    package init(_ message: String) { self.message = message }
  }

  /// Nil where the line does not say it.
  package private(set) var step: Int?
  package private(set) var values: [(name: String, value: Double)] = []

  /// A JSON object of numbers; a null was not measured.
  package init(json line: ArraySlice<UInt8>) throws(Mistake) {
    let tree: JSONTree
    do {
      tree = try JSONTree.parse(Array(line))
    } catch {
      let text = String(decoding: line, as: UTF8.self)
      let hint =
        text.contains("NaN") || text.contains("Infinity")
        ? "; leave out a number that is not finite, since JSON has none" : ""
      throw Mistake("not JSON, column \(error.column): \(error.message)\(hint)")
    }
    guard case .object(let members) = tree else {
      throw Mistake("expected a JSON object, such as {\"step\": 1, \"loss\": 0.5}")
    }
    for member in members {
      switch member.value {
      case .null: continue
      case .integer(let value): try add(member.name, Double(value))
      case .number(let value): try add(member.name, value)
      default: throw Mistake("'\(member.name)' is \(member.value.kind); a history holds numbers alone")
      }
    }
  }

  /// Cells under a header; an empty one was not measured.
  package init(cells line: ArraySlice<UInt8>, header: [String]) throws(Mistake) {
    let cells = CurveLine.cells(line)
    guard cells.count == header.count else { throw Mistake("\(cells.count) cells under a header of \(header.count)") }
    for (name, cell) in zip(header, cells) where !cell.isEmpty && !name.isEmpty {
      guard let value = Double(cell), value.isFinite else {
        throw Mistake("'\(cell.clipped(to: 60))' under '\(name)' is no finite number; leave the cell empty")
      }
      try add(name, value)
    }
  }

  private mutating func add(_ name: String, _ value: Double) throws(Mistake) {
    guard value.isFinite else { throw Mistake("'\(name)' is not finite") }
    if name.hasSameBytes(as: History.stepName) {
      guard step == nil else { throw Mistake("'\(name)' is there twice") }
      guard let whole = Int(exactly: value), whole >= 0 else {
        throw Mistake("the step is \(value); expected a whole number from 0")
      }
      step = whole
    } else {
      guard !values.contains(where: { $0.name.hasSameBytes(as: name) }) else {
        throw Mistake("'\(name)' is there twice")
      }
      values.append((name, value))
    }
  }

  /// The cells of a line of CSV, without spaces and quotes around them.
  package static func cells(_ line: ArraySlice<UInt8>) -> [String] {
    let edges: Set<UInt8> = [0x20, 0x09, 0x0D, UInt8(ascii: "\"")]
    return line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { cell in
      guard let first = cell.firstIndex(where: { !edges.contains($0) }),
        let last = cell.lastIndex(where: { !edges.contains($0) })
      else { return "" }
      return String(decoding: cell[first...last], as: UTF8.self)
    }
  }
}
