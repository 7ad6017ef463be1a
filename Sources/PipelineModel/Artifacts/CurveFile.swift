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
      try add(line: i + 1) { () throws(CurveLine.Mistake) in try CurveLine(json: line) }
    }
  }

  private mutating func addTable(_ lines: [ArraySlice<UInt8>]) throws {
    guard let header = lines.first.map(CurveLine.cells) else { return }
    for (i, line) in lines.enumerated().dropFirst() where !line.isEmpty {
      try add(line: i + 1) { () throws(CurveLine.Mistake) in try CurveLine(cells: line, header: header) }
    }
  }

  private mutating func add(line: Int, _ read: () throws(CurveLine.Mistake) -> CurveLine) throws {
    let found: CurveLine
    do {
      found = try read()
    } catch {
      throw Mistake(line: line, message: error.message)
    }
    let step = found.step
    let values = Dictionary(found.values.map { (ByteName($0.name), $0.value) }, uniquingKeysWith: { a, _ in a })
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
