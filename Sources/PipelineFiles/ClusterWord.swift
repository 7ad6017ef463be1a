import Determinism
import PipelineModel

/// Words that go into the script of a job, where a blank, a quote or a line break would mean something else.
enum ClusterWord {
  private static let signs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,+@%*[]|&"
  /// Options that the runner sets itself and relies on.
  private static let reserved = [
    "--job-name", "-J", "--array", "-a", "--output", "-o", "--error", "-e", "--open-mode", "--requeue", "--no-requeue",
    "--signal", "--chdir", "-D", "--parsable", "--wait", "-W", "--test-only", "--wrap", "--export",
  ]

  /// The name of a partition, an account or a QOS; nil where none is given.
  static func name(_ key: String, in section: Section) throws -> String? {
    guard let value = try section.text(key), let text = value.stringValue else { return nil }
    guard isPlain(text) else {
      throw PipelineError(
        .badValue, at: value.location,
        "'\(key)': expected one word without blanks or quotes, found \(value.kindDescription)")
    }
    return text
  }

  /// An option of sbatch.
  static func option(_ value: LocatedValue) throws -> String {
    guard let text = value.stringValue, isPlain(text), text.hasPrefix("-") else {
      throw PipelineError(
        .badValue, at: value.location,
        "'options': expected one option of sbatch, as --constraint=avx512, without blanks or quotes, found "
          + value.kindDescription)
    }
    let name = String(text.prefix { $0 != "=" })
    let isReserved = reserved.contains { option in
      option.hasPrefix("--") ? name.hasSameBytes(as: option) : !text.hasPrefix("--") && text.hasPrefix(option)
    }
    if isReserved {
      throw PipelineError(
        .badValue, at: value.location, "'options': \(name.clipped(to: 40)) is set by the runner, which relies on it")
    }
    return text
  }

  private static func isPlain(_ text: String) -> Bool { !text.isEmpty && text.allSatisfy { signs.contains($0) } }
}
