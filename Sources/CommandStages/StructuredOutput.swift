import Determinism
import PipelineModel

/// What a command wrote as `json`, `metrics` or `history`, brought into the form in which it is stored.
enum StructuredOutput {
  static func isStructured(_ kind: String) -> Bool { JSONFormat.kinds.contains(kind) }

  /// Bytes that the command may have written.
  private static func limit(_ output: Command.Output) -> Int {
    output.kind == HistoryFormat.name ? CurveFile.sizeLimit : JSONFormat.sizeLimit
  }

  /// - Throws: code `badStage` that names the output, and of a history the line.
  static func value(of output: Command.Output, at path: String, stage: String) throws -> CanonicalValue {
    func bad(_ what: String) -> PipelineError {
      PipelineError(.badStage, "'\(stage)': its output '\(output.name)', \(output.path)\(what)")
    }
    let size = try Files.status(path).size
    guard size <= limit(output) else {
      throw bad(
        ", has \(size) bytes; one of kind '\(output.kind)' has \(limit(output) >> 20) MiB at most. "
          + (output.kind == JSONFormat.name
            ? "Declare it as { path: \(output.path), kind: file }" : "Declare a larger one under 'outputs'"))
    }
    let bytes = try Files.read(path, limit: limit(output))
    if output.kind == HistoryFormat.name, !output.path.hasEnding(".json") {
      do {
        return try CurveFile.history(bytes, isTable: output.path.hasEnding(".csv")).canonical
      } catch let mistake as CurveFile.Mistake {
        throw bad(":\(mistake)")
      }
    }
    let value: CanonicalValue
    do {
      value = try CanonicalValue(json: bytes)
    } catch {
      throw bad(
        ", is not JSON: \(error). "
          + (output.kind == JSONFormat.name
            ? "Correct it, or declare it as { path: \(output.path), kind: file }"
            : "Write a JSON object; leave out what has no value"))
    }
    switch output.kind {
    case MetricsFormat.name: if let problem = MetricsFormat.problem(with: value) { throw bad(": \(problem)") }
    case HistoryFormat.name:
      guard History(canonical: value) != nil else {
        throw bad(": no history; write a JSON object a line to a file that ends in .jsonl, or CSV")
      }
    default: break
    }
    return value
  }
}
