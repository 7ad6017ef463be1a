import Determinism

/// Numbers over the steps of a training (see `History`). The digest is that of `json`.
public struct HistoryFormat: ArtifactFormat {
  public static let name = "history"
  public static let fileExtension = "history"
  public static let outsideExtension = "json"

  public init() {}

  public func digest(ofFileAt path: String) throws -> Digest { try HistoryFormat.read(path).canonical.digest }

  package static func read(_ path: String) throws -> History {
    guard let history = History(canonical: try JSONFormat.read(path)) else {
      throw PipelineError(
        .badArtifact,
        "\(path): no history: expected {unit, steps, steps-per-row, columns, rows}, the steps rising, at most "
          + "\(History.rowLimit) rows")
    }
    return history
  }

  /// Steps and columns where the first of two histories has another number than the second.
  public func differences(between a: String, and b: String, limit: Int) throws -> [ArtifactDifference] {
    let (x, y) = (try HistoryFormat.read(a), try HistoryFormat.read(b))
    guard x.names == y.names, x.rows.map(\.step) == y.rows.map(\.step) else {
      return try JSONFormat().differences(between: a, and: b, limit: limit)
    }
    func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "absent" }
    var places = [ArtifactDifference]()
    for (p, q) in zip(x.rows, y.rows) {
      for (i, name) in x.names.enumerated() where p.values[i] != q.values[i] {
        if places.count == limit { return places }
        places.append(
          ArtifactDifference(place: "step \(p.step), \(name)", first: text(p.values[i]), second: text(q.values[i])))
      }
    }
    return places
  }

  /// What there is, then the course of each number.
  public func summary(ofFileAt path: String) throws -> [String] { try HistoryFormat.read(path).summary }
}

extension History {
  /// Lines of text for people: of each name its first and last number, its least and its largest.
  public var summary: [String] {
    let head =
      "\(steps) \(unit), \(rows.count) rows"
      + (stepsPerRow > 1 ? ", each the mean over \(stepsPerRow)" : "")
    let cells = names.map { name -> [String] in
      let series = series(name)
      guard let first = series.first, let last = series.last, let least = series.min(by: { $0.value < $1.value }),
        let most = series.max(by: { $0.value < $1.value })
      else { return [name, "-", "-", "-", "-"] }
      return [
        name, History.text(first.value), History.text(last.value),
        "\(History.text(least.value)) at \(least.step)", "\(History.text(most.value)) at \(most.step)",
      ]
    }
    let table = [["", "first", "last", "least", "most"]] + cells
    let widths = (0..<5).map { column in table.map { min(40, $0[column].count) }.max() ?? 0 }
    return [head]
      + table.map { row in
        let line = zip(row, widths).map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
        return String(line.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
      }
  }

  /// A number with about five digits, the same on every machine.
  public static func text(_ value: Double) -> String {
    guard let digits = digits(of: value) else {
      return value == 0 ? "0" : "\(value.isFinite ? "\(Float(value))" : "\(value)")"
    }
    return value.text(digits: digits)
  }

  /// Decimals of such a text; nil where another form is shorter.
  public static func digits(of value: Double) -> Int? {
    guard value.isFinite, value != 0 else { return nil }
    return switch value.magnitude {
    case 1e7...: nil
    case 1000...: 1
    case 100...: 2
    case 10...: 3
    case 0.01...: 4
    case 0.0001...: 6
    default: nil
    }
  }
}
