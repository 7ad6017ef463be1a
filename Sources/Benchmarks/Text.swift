/// Formats numbers and tables.
enum Text {
  /// Three significant digits, with at most three decimals.
  static func fixed(_ value: Double) -> String {
    let digits = value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0
    return fixed(value, digits: digits)
  }

  static func fixed(_ value: Double, digits: Int) -> String {
    let scale = (0..<digits).reduce(1) { product, _ in product * 10 }
    let scaled = Int((value * Double(scale)).rounded())
    if digits == 0 { return String(scaled) }
    let fraction = String(scaled % scale)
    return "\(scaled / scale).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
  }

  static func cost(_ cost: Double, _ work: Work) -> String {
    switch (work, cost) {
    case (.memory, _): "\(fixed(cost / 1_048_576)) MiB"
    case (_, ..<1e-3): "\(fixed(cost * 1e6)) µs"
    case (_, ..<1): "\(fixed(cost * 1e3)) ms"
    default: "\(fixed(cost)) s"
    }
  }

  /// A table with aligned columns; those in `right` are right-aligned.
  static func table(_ rows: [[String]], right: Set<Int>) -> String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      row.indices.map { i in
        let padding = String(repeating: " ", count: widths[i] - row[i].count)
        return right.contains(i) ? padding + row[i] : row[i] + padding
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
