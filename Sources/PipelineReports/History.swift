import Determinism

/// Numbers over steps, as an artifact holds them: `{unit, steps, steps-per-row, columns, rows}`.
struct History {
  /// What a step is called.
  let unit: String
  let stepsPerRow: Int
  /// Names of the numbers, without the step.
  let names: [String]
  /// The step and the numbers of each row.
  let rows: [(step: Double, numbers: [CanonicalValue])]

  /// More are of no use in a report.
  private static let (mostRows, mostNames) = (5000, 64)

  /// Nil where the value has another form.
  init?(_ value: CanonicalValue) {
    guard let columns = value["columns"]?.arrayValue?.map({ $0.stringValue ?? "" }),
      let rows = value["rows"]?.arrayValue,
      columns.count >= 2, rows.count <= History.mostRows
    else { return nil }
    let step = columns.firstIndex(of: "step") ?? 0
    var found = [(Double, [CanonicalValue])]()
    for row in rows {
      guard let cells = row.arrayValue, cells.count == columns.count, let number = cells[step].numberValue else {
        return nil
      }
      let others = cells.enumerated().filter { $0.offset != step }.map(\.element)
      found.append((number, Array(others.prefix(History.mostNames))))
    }
    self.rows = found
    names = Array(columns.enumerated().filter { $0.offset != step }.map(\.element).prefix(History.mostNames))
    unit = value["unit"]?.stringValue ?? "steps"
    stepsPerRow = value["steps-per-row"]?.integerValue ?? 1
  }

  /// The points of one of the numbers; rows without it are left out.
  func points(_ name: Int) -> [(x: Double, y: Double)] {
    rows.compactMap { row in row.numbers[name].numberValue.map { (row.step, $0) } }
  }

  /// Numbers that are drawn together: losses in one picture, and each of the others with its like.
  var groups: [[Int]] {
    var losses = [Int]()
    var others = [(word: String, members: [Int])]()
    for (i, name) in names.enumerated() {
      guard let word = History.apart.first(where: { History.words(name).contains($0) }) else {
        losses.append(i)
        continue
      }
      if let place = others.firstIndex(where: { $0.word == word }) {
        others[place].members.append(i)
      } else {
        others.append((word, [i]))
      }
    }
    // As many as have colours.
    return ([losses] + others.map(\.members)).flatMap { group in
      stride(from: 0, to: group.count, by: 8).map { Array(group[$0..<min($0 + 8, group.count)]) }
    }
  }

  /// Words of numbers that are of another size than losses.
  private static let apart = ["rate", "lr", "norm", "accuracy", "acc", "top", "auc", "f1"]

  /// `train_acc`, `learning rate` and `top-1` as words.
  private static func words(_ name: String) -> [String] {
    name.lowercased().split { !($0.isLetter || $0.isNumber) }.map { word in
      word.hasPrefix("top") && word.dropFirst(3).allSatisfy(\.isNumber) ? "top" : String(word)
    }
  }
}
