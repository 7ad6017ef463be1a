import ArgumentParser
import Determinism
import PipelineFiles
import Pipelines
import Reports
import Results

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare runs: what they were told otherwise, and what came out.",
    discussion: """
      A row for each run, with the parameters that differ and the metrics that do: those that commands declare, and
      the highlights of other stages. Of a fanned-out stage it has the least, the mean and the largest number. A metric
      that a run has not is an empty cell.

      With a pipeline instead of runs: all finished runs of it in the store. With --by, rows with one value of a parameter
      are put together: means and standard deviations over all else. The parameter is one of the runs, such as seed or
      train.rate, or one of the elements of a fanned-out stage; then each element is a row.

      EXAMPLES:
        autopanoptic compare baseline 20260201-093000
        autopanoptic compare pipelines/coco.yaml --by seed --where profile=smoke
        autopanoptic compare pipelines/digits.yaml --by rate --sort test.accuracy --format markdown
        autopanoptic compare digits --store artifacts --store /mnt/other/artifacts --format csv
      """)

  @Argument(help: "Runs, by ID, name or tag; or one pipeline, by its file or name.", completion: .pipelines)
  var subjects: [String]

  @Option(help: ArgumentHelp("Put rows together by this parameter.", valueName: "parameter"))
  var by: String?

  @Option(
    name: .customLong("where"), help: ArgumentHelp("Only rows with this value. Repeatable.", valueName: "name=value"))
  var conditions: [String] = []

  @Option(help: ArgumentHelp("Sort by a metric, the largest first, or by a parameter.", valueName: "name"))
  var sort: String?

  @Flag(help: "With --sort and a metric: the smallest first.")
  var ascending = false

  @Option(help: ArgumentHelp("Show only metrics whose names begin so. Repeatable.", valueName: "name"))
  var metric: [String] = []

  @Flag(help: "Also show metrics that are the same in all rows.")
  var all = false

  @Option(help: "text, csv, markdown or json.")
  var format = ComparisonFormat.text

  @Option(
    name: .customLong("store"),
    help: ArgumentHelp("Where the runs are (default: artifacts). Repeatable.", valueName: "dir"), completion: .directory
  )
  var storePaths: [String] = []

  func validate() throws {
    if subjects.isEmpty { throw ValidationError("name runs, or a pipeline") }
    if subjects.count > 1, by != nil { throw ValidationError("--by groups all runs of one pipeline; name that alone") }
  }

  func run() throws {
    let stores = try (storePaths.isEmpty ? ["artifacts"] : storePaths).map { try StoreOptions.openExisting($0) }
    var comparison = try read(try ComparedRuns(stores: stores))
    comparison = try comparison.filtered(
      by: conditions.map { text in
        let parts = text.splitBytes(at: UInt8(ascii: "="))
        guard parts.count >= 2, !parts[0].isEmpty else {
          throw ValidationError("--where \(text.clipped(to: 100)): expected name=value")
        }
        return (parts[0], parts.dropFirst().joined(separator: "="))
      })
    if comparison.rows.isEmpty { throw PipelineError(.badReference, "no row is left by --where") }
    if let sort, by == nil { comparison = try comparison.sorted(by: sort, ascending: ascending) }
    let printer = ComparisonPrinter(
      comparison: comparison, prefixes: metric, showsAll: all || comparison.rows.count == 1, format: format)
    if let by {
      try printer.print(GroupedComparison(comparison, by: by), sort: sort, ascending: ascending)
    } else {
      printer.print()
    }
  }

  private func read(_ runs: ComparedRuns) throws -> RunComparison {
    guard subjects.count == 1 else { return try runs.compare(subjects) }
    let subject = subjects[0]
    if subject.hasEnding(".yaml") || subject.hasEnding(".yml") {
      // Only for its name: profile and settings are those of the runs.
      let file = try PipelineFile(path: subject)
      return try runs.compare(pipeline: file.description(settings: []).name, by: by)
    }
    if try runs.knowsPipeline(subject) || by != nil { return try runs.compare(pipeline: subject, by: by) }
    return try runs.compare(subjects)
  }
}
