import Determinism
import Pipelines

/// Records as text for people.
struct RecordPrinter {
  let record: RecordDescription
  /// Whether parameters are shown that have their defaults.
  let showsAll: Bool

  var lines: [String] {
    var lines = [
      "record   \(record.key.hex)",
      "stage    \(record.stage), of kind \(record.kind) version \(record.version), in pipeline \(record.pipeline)",
      "when     \(record.started), took \(Units.duration(record.seconds))"
        + (record.run.isEmpty ? "" : ", run \(record.run)"),
    ]
    if let seed = record.seed { lines.append("seed     \(seed)") }
    add("inputs", record.inputs.map { [$0.name, $0.kind, $0.digest.short, $0.origin] }, to: &lines)
    let shown = record.parameters.filter { showsAll || !$0.isDefault }
    let rest = record.parameters.count - shown.count
    add("parameters", shown.map { [$0.name, RecordPrinter.short($0.value)] }, to: &lines)
    if rest > 0 { lines.append("  and \(rest) with \(rest == 1 ? "its default" : "their defaults"); --all shows them") }
    add(
      "outputs",
      record.outputs.map { [$0.name, $0.kind, $0.digest.short, $0.bytes.map(Units.bytes) ?? ""] }, to: &lines)
    add("traits", record.traits.map { [$0.name, RecordPrinter.short($0.value)] }, to: &lines)
    add("environment", record.environment.map { [$0.name, RecordPrinter.short($0.value)] }, to: &lines)
    if record.tracedSteps > 0 {
      lines.append("digests of tensors are noted at \(Units.count(record.tracedSteps, "step"))")
    }
    return lines
  }

  private static func short(_ text: String) -> String {
    text.replacingScalars(["\n": "\u{23CE}", "\t": " "]).clipped(to: 100)
  }

  private func add(_ title: String, _ rows: [[String]], to lines: inout [String]) {
    guard !rows.isEmpty else { return }
    lines.append(title)
    let widths = rows[0].indices.map { column in Units.width(rows.map { $0[column] }) }
    for row in rows {
      let cells = zip(row, widths).map { Units.pad($0, $1) }.joined(separator: "  ")
      lines.append("  " + String(cells.reversed().drop { $0 == " " }.reversed()))
    }
  }
}
