/// The measurements as a table for people: one row a benchmark and number of threads.
struct Table {
  let measurements: [Measurement]

  var text: String {
    var rows = [["name", "shape", "threads", "min", "median", "rate", "digest"]]
    for m in measurements {
      rows.append([
        m.benchmark.name, m.benchmark.shape, String(m.threads), Table.time(m.minimum), Table.time(m.median),
        "\(Table.fixed(m.rate, digits: m.rate < 10 ? 2 : 1)) \(m.benchmark.work.unit)", m.digest?.short ?? "-",
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let rightAligned: Set<Int> = [2, 3, 4, 5]
    return rows.map { row in
      row.indices.map { i in
        let padding = String(repeating: " ", count: widths[i] - row[i].count)
        return rightAligned.contains(i) ? padding + row[i] : row[i] + padding
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  private static func time(_ seconds: Double) -> String {
    switch seconds {
    case ..<1e-3: "\(fixed(seconds * 1e6, digits: 2)) µs"
    case ..<1: "\(fixed(seconds * 1e3, digits: 2)) ms"
    default: "\(fixed(seconds, digits: 3)) s"
    }
  }

  private static func fixed(_ value: Double, digits: Int) -> String {
    let scale = (0..<digits).reduce(1.0) { product, _ in product * 10 }
    let scaled = Int((value * scale).rounded())
    let fraction = String(scaled % Int(scale))
    return "\(scaled / Int(scale)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
  }
}
