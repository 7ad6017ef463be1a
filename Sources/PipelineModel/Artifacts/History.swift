import Determinism

/// Numbers by name over the steps of something, such as the losses of a training: what an artifact of kind `history` holds.
///
/// There are at most 1000 rows. Where more were measured, each row is the mean over as many in a row as that takes, the
/// last perhaps over fewer: a function of the numbers alone.
public struct History: Sendable, Equatable {
  public static let rowLimit = 1000
  /// Columns at most, beside the steps.
  public static let columnLimit = 1000
  /// The name of the first column.
  public static let stepName = "step"

  /// What steps are called, such as `updates`.
  public var unit: String
  /// The last step.
  public var steps: Int
  /// How many measurements a row is the mean of.
  public var stepsPerRow: Int
  /// Names of the numbers, in the order of the cells.
  public var names: [String]
  public var rows: [Row]

  public struct Row: Sendable, Equatable {
    /// The last one that the row covers.
    public var step: Int
    /// One for each name; nil where nothing was measured.
    public var values: [Double?]

    public init(step: Int, values: [Double?]) { (self.step, self.values) = (step, values) }
  }

  public init(unit: String, steps: Int, stepsPerRow: Int, names: [String], rows: [Row]) {
    self.unit = unit
    self.steps = steps
    self.stepsPerRow = stepsPerRow
    self.names = names
    self.rows = rows
  }

  /// Measurements a row, of so many measurements.
  public static func stepsPerRow(_ count: Int) -> Int { max(1, (count + rowLimit - 1) / rowLimit) }

  /// Thins measurements to what a history holds.
  package init(unit: String, names: [String], measured: [Row]) {
    let perRow = History.stepsPerRow(measured.count)
    let rows = stride(from: 0, to: measured.count, by: perRow).map { begin in
      let part = measured[begin..<min(begin + perRow, measured.count)]
      return Row(
        step: part.last!.step,
        values: names.indices.map { i in History.mean(part.lazy.compactMap { $0.values[i] }) })
    }
    self.init(unit: unit, steps: rows.last?.step ?? 0, stepsPerRow: perRow, names: names, rows: rows)
  }

  /// The sum in their order, divided by their number.
  private static func mean(_ values: some Sequence<Double>) -> Double? {
    let values = Array(values)
    guard !values.isEmpty else { return nil }
    if values.count == 1 { return values[0] }
    let (sum, count) = (values.reduce(0, +), Double(values.count))
    return sum.isFinite ? sum / count : values.reduce(0) { $0 + $1 / count }
  }

  /// The numbers of one name with their steps.
  public func series(_ name: String) -> [(step: Int, value: Double)] {
    guard let i = names.firstIndex(where: { $0.hasSameBytes(as: name) }) else { return [] }
    return rows.compactMap { row in row.values[i].map { (row.step, $0) } }
  }
}

extension History {
  /// The content of the artifact: `{unit, steps, steps-per-row, columns, rows}`.
  public var canonical: CanonicalValue {
    [
      "unit": .string(unit), "steps": .integer(steps), "steps-per-row": .integer(stepsPerRow),
      "columns": .array(([History.stepName] + names).map { .string($0) }),
      "rows": .array(
        rows.map { row in .array([.integer(row.step)] + row.values.map { $0.map { .number($0) } ?? .null }) }),
    ]
  }

  /// Nil where the value is no history.
  public init?(canonical value: CanonicalValue) {
    guard let members = value.objectValue, members.count == 5, let unit = value["unit"]?.stringValue,
      let steps = value["steps"]?.integerValue, let perRow = value["steps-per-row"]?.integerValue, perRow > 0,
      let columns = value["columns"]?.arrayValue, let cells = value["rows"]?.arrayValue,
      cells.count <= History.rowLimit, (1...History.columnLimit + 1).contains(columns.count)
    else { return nil }
    let names = columns.compactMap(\.stringValue)
    guard names.count == columns.count, names[0] == History.stepName, Set(names).count == names.count else {
      return nil
    }
    var rows = [Row]()
    for cell in cells {
      guard let numbers = cell.arrayValue, numbers.count == names.count, let step = numbers[0].integerValue,
        rows.last.map({ $0.step < step }) ?? true
      else { return nil }
      var values = [Double?]()
      for number in numbers.dropFirst() {
        guard number == .null || number.numberValue != nil else { return nil }
        values.append(number.numberValue)
      }
      rows.append(Row(step: step, values: values))
    }
    guard rows.last.map({ $0.step <= steps }) ?? true else { return nil }
    self.init(unit: unit, steps: steps, stepsPerRow: perRow, names: Array(names.dropFirst()), rows: rows)
  }
}
