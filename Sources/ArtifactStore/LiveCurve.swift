import Determinism
import PipelineModel

/// What a running stage has measured so far: a JSON object a line in the folder of its run, for whoever looks on. The
/// result is the artifact that the stage writes in the end; this file is for people, and may lack lines.
package enum LiveCurve {
  /// `judge[2,3]` is `judge-2-3`; whatever else a name holds, the file lies in the run's folder.
  package static func fileName(ofStage stage: String) -> String {
    String(stage.filter { $0 != "]" }.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "-" })
  }

  package static func path(stage: String, run: String, in store: Store) -> String {
    "\(store.path)/runs/\(run)/\(fileName(ofStage: stage)).curve.jsonl"
  }

  /// A line of the file.
  package static func line(unit: String, step: Int, values: [(name: String, value: Double)]) -> String {
    let members = values.filter(\.value.isFinite).map { ($0.name, CanonicalValue.number($0.value)) }
    let numbers = Dictionary(members, uniquingKeysWith: { _, new in new })
    let line: CanonicalValue = ["unit": .string(unit), "step": .integer(step), "values": .object(numbers)]
    return line.canonicalText + "\n"
  }

  /// Nil where the stage measured nothing yet. Steps that were done again after a resumption count once, by the newest
  /// line.
  package static func read(stage: String, run: String, in store: Store) throws -> History? {
    let path = path(stage: stage, run: run, in: store)
    guard Files.exists(path) else { return nil }
    var (unit, rows) = ("steps", [Int: [ByteName: Double]]())
    for line in TextLines.split(try Files.read(path, limit: 256 << 20)) {
      guard let value = try? CanonicalValue(json: Array(line)), let step = value["step"]?.integerValue, step >= 0,
        let values = value["values"]?.objectValue
      else { continue }
      unit = value["unit"]?.stringValue ?? unit
      let numbers = values.compactMap { name, value in value.numberValue.map { (ByteName(name), $0) } }
      rows[step, default: [:]].merge(numbers) { _, new in new }
    }
    let names = Set(rows.values.flatMap(\.keys)).sorted()
    guard !rows.isEmpty, names.count <= History.columnLimit else { return nil }
    return History(
      unit: unit, names: names.map(\.text),
      measured: rows.sorted { $0.key < $1.key }.map { step, values in
        History.Row(step: step, values: names.map { values[$0] })
      })
  }
}
