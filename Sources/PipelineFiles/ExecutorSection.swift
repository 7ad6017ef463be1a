import Determinism
import PipelineModel

/// An executor: an entry of `executors` in a pipeline file, or a file `executors/NAME.yaml` beside it.
///
/// ```yaml
/// executors:
///   campus:
///     uses: slurm
///     partition: long
///     account: vision
///     options: [--constraint=avx512]
///     setup: [module load openmpi]
/// ```
enum ExecutorSection {
  static func parse(_ value: LocatedValue, name: String) throws -> ExecutorDescription {
    let section = try Section(value, title: "executor '\(name)'", keys: .executor)
    let uses = try section.requiredText("uses")
    guard uses.stringValue == "slurm" else {
      throw PipelineError(
        .badValue, at: uses.location, "executor '\(name)': 'uses' is \(uses.kindDescription); expected slurm")
    }
    var executor = ExecutorDescription(name: name)
    executor.partition = try ClusterWord.name("partition", in: section)
    executor.account = try ClusterWord.name("account", in: section)
    executor.qos = try ClusterWord.name("qos", in: section)
    executor.options = try items(of: "options", in: section).map(ClusterWord.option)
    executor.setup = try lines("setup", in: section)
    executor.container = try section.text("container")?.stringValue
    executor.program = try section.text("program")?.stringValue
    executor.mpi = try ClusterWord.name("mpi", in: section) ?? executor.mpi
    if let time = section["least-time"] {
      guard let seconds = time.stringValue.flatMap(ResourceAmounts.seconds) else {
        throw PipelineError(
          .badValue, at: time.location,
          "'least-time': expected a time with its unit, as 10m, found \(time.kindDescription)")
      }
      executor.leastSeconds = seconds
    }
    if let limit = section["limit"] {
      guard case .integer(let number) = limit.content, (1...1_000_000).contains(number) else {
        throw PipelineError(
          .badValue, at: limit.location,
          "'limit': expected a number of instances from 1, found \(limit.kindDescription)"
        )
      }
      executor.limit = number
    }
    return executor
  }

  private static func items(of name: String, in section: Section) -> [LocatedValue] {
    guard let value = section[name] else { return [] }
    return if case .array(let items) = value.content { items } else { [value] }
  }

  private static func lines(_ name: String, in section: Section) throws -> [String] {
    try items(of: name, in: section).map { item in
      guard let text = item.stringValue, !text.utf8.contains(0x0A), !text.utf8.contains(0) else {
        throw PipelineError(
          .wrongType, at: item.location, "'\(name)': expected a list of lines of text, found \(item.kindDescription)")
      }
      return text
    }
  }
}

extension PipelineFile {
  /// The executor of a name: of the section `executors`, else of the file `executors/NAME.yaml` beside the pipeline file.
  public func executor(named name: String) throws -> ExecutorDescription {
    let known = executorSection?.members ?? []
    if let member = known.first(where: { $0.name.hasSameBytes(as: name) }) {
      return try ExecutorSection.parse(member.value, name: name)
    }
    guard EntryName.isValid(name) else {
      throw PipelineError(.badReference, "--executor \(name.clipped(to: 100)): expected local, slurm or a name")
    }
    let file = (path.splitBytes(at: UInt8(ascii: "/")).dropLast() + ["executors", "\(name).yaml"]).joined(
      separator: "/")
    guard FileIO.kind(file) != nil else {
      let hint = Suggestion.text(for: name, among: known.map(\.name) + ["local", "slurm"])
      throw PipelineError(
        .badReference,
        "--executor \(name): neither \(path) has it under 'executors' nor is there a file \(file)\(hint)")
    }
    switch TextFile.read(file) {
    case .success(let text): return try ExecutorSection.parse(try YAMLTree.parse(text, file: file), name: name)
    case .failure(let reason): throw PipelineError(.syntax, at: SourceLocation(file: file), reason.text)
    }
  }
}
