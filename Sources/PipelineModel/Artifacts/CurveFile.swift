import Determinism

/// Reads what a program wrote while it measured: a JSON object a line, or CSV with a header.
///
/// `step` is the step, a whole number that does not fall; without it lines count from 1. Lines of one step are put
/// together. A member that is absent, null, or an empty cell was not measured. The other names are columns, in the order
/// of their bytes.
package struct CurveFile {
  /// One bad line.
  package struct Mistake: Error, CustomStringConvertible {
    package let line: Int
    package let message: String
    package var description: String { "\(line): \(message)" }
  }

  private var rows: [(line: Int, step: Int, values: [ByteName: Double])] = []
  private var hasSteps: Bool?

  /// Larger files take too long to be read.
  package static let sizeLimit = 512 << 20

  /// - Parameter isTable: whether it is CSV.
  package static func history(_ bytes: [UInt8], isTable: Bool) throws -> History {
    var file = CurveFile()
    let lines = TextLines.split(bytes)
    if isTable { try file.addTable(lines) } else { try file.addObjects(lines) }
    return try file.history()
  }

  private mutating func addObjects(_ lines: [ArraySlice<UInt8>]) throws {
    for (i, line) in lines.enumerated() where !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) {
      let tree: JSONTree
      do {
        tree = try JSONTree.parse(Array(line))
      } catch {
        let hint = CurveFile.holdsNaN(line) ? "; leave out a number that is not finite, since JSON has none" : ""
        throw Mistake(line: i + 1, message: "not JSON, column \(error.column): \(error.message)\(hint)")
      }
      guard case .object(let members) = tree else {
        throw Mistake(line: i + 1, message: "expected a JSON object, such as {\"step\": 1, \"loss\": 0.5}")
      }
      try add(
        members.compactMap { member in
          switch member.value {
          case .null: return nil
          case .integer(let value): return (member.name, Double(value))
          case .number(let value): return (member.name, value)
          default:
            throw Mistake(
              line: i + 1, message: "'\(member.name)' is \(member.value.kind); a history holds numbers alone")
          }
        }, line: i + 1)
    }
  }

  private static func holdsNaN(_ line: ArraySlice<UInt8>) -> Bool {
    let text = String(decoding: line, as: UTF8.self)
    return text.contains("NaN") || text.contains("Infinity")
  }

  private mutating func addTable(_ lines: [ArraySlice<UInt8>]) throws {
    func cells(_ line: ArraySlice<UInt8>) -> [String] {
      line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { cell in
        let edges: Set<UInt8> = [0x20, 0x09, UInt8(ascii: "\"")]
        let trimmed = cell.drop { edges.contains($0) }
        return String(
          decoding: trimmed.prefix(upTo: (trimmed.lastIndex { !edges.contains($0) } ?? trimmed.startIndex - 1) + 1),
          as: UTF8.self)
      }
    }
    guard let header = lines.first.map(cells) else { return }
    for (i, line) in lines.enumerated().dropFirst() where !line.isEmpty {
      let values = cells(line)
      guard values.count == header.count else {
        throw Mistake(line: i + 1, message: "\(values.count) cells under a header of \(header.count)")
      }
      try add(
        zip(header, values).compactMap { name, cell in
          if cell.isEmpty || name.isEmpty { return nil }
          guard let value = Double(cell), value.isFinite else {
            throw Mistake(
              line: i + 1,
              message: "'\(cell.clipped(to: 60))' under '\(name)' is no finite number; leave the cell empty")
          }
          return (name, value)
        }, line: i + 1)
    }
  }

  private mutating func add(_ members: [(name: String, value: Double)], line: Int) throws {
    var values = [ByteName: Double]()
    var step: Int?
    for (name, value) in members {
      guard value.isFinite else { throw Mistake(line: line, message: "'\(name)' is not finite") }
      if name.hasSameBytes(as: History.stepName) {
        guard let whole = Int(exactly: value), whole >= 0 else {
          throw Mistake(line: line, message: "the step is \(value); expected a whole number from 0")
        }
        step = whole
      } else if values.updateValue(value, forKey: ByteName(name)) != nil {
        throw Mistake(line: line, message: "'\(name)' is there twice")
      }
    }
    if let hasSteps, hasSteps != (step != nil) {
      throw Mistake(line: line, message: "\(hasSteps ? "no" : "a") 'step', unlike the lines before it")
    }
    hasSteps = step != nil
    let place = step ?? rows.count + 1
    guard let last = rows.last, last.step >= place else { return rows.append((line, place, values)) }
    guard last.step == place else {
      throw Mistake(
        line: line,
        message: "step \(place) after step \(last.step); steps rise. A training that resumes cuts its file back to the "
          + "step that it resumes from")
    }
    for (name, value) in values where rows[rows.count - 1].values.updateValue(value, forKey: name) != nil {
      throw Mistake(line: line, message: "'\(name)' of step \(place) is there twice")
    }
  }

  private func history() throws -> History {
    var found = Set<ByteName>()
    for row in rows { found.formUnion(row.values.keys) }
    let names = found.sorted()
    guard names.count <= History.columnLimit else {
      throw Mistake(line: 1, message: "\(names.count) names; a history has \(History.columnLimit) at most")
    }
    if let (one, other) = names.map(\.text).canonicalTwins() {
      throw Mistake(
        line: 1, message: "'\(one.escapedBytes)' and '\(other.escapedBytes)' are one name to Unicode; rename one")
    }
    return History(
      unit: "steps", names: names.map(\.text),
      measured: rows.map { row in History.Row(step: row.step, values: names.map { row.values[$0] }) })
  }
}
