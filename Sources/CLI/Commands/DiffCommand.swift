import ArgumentParser
import Determinism
import Pipelines

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show how two artifacts differ: tensor by tensor, field by field, file by file.",
    discussion: """
      Of a tensor: the first index with both values, how many elements differ, and by how much at most, as a number and
      in units in the last place. Of two records: what their executions depended on, and the first step at which they
      part. Exits with 2 where they differ.

      An ID is the first digits of a digest or key, or a name: 'finetune.weights' is the newest such output, 'finetune'
      the newest such record.

      EXAMPLES:
        autopanoptic diff 3fa91c 77ab02
        autopanoptic diff finetune.weights finetune.weights --other /mnt/other/artifacts
        autopanoptic diff 'evaluate[3].result' 'evaluate[4].result' --json
      """)

  @Argument(help: "The ID or name of an artifact or of a record.")
  var first: String

  @Argument(help: "The artifact or record to compare with.")
  var second: String

  @Option(help: ArgumentHelp("The store of the second one (default: the same).", valueName: "dir"))
  var other: String?

  @Option(help: "Places shown at most; 0 means all.")
  var limit = 50

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var stores: StoreOptions
  @OptionGroup var machine: MachineOptions

  func validate() throws {
    if limit < 0 { throw ValidationError("--limit \(limit): expected 0 or more") }
  }

  func run() throws {
    try machine.apply()
    let store = try stores.openExisting()
    let second = try other.map { try StoreOptions.openExisting($0) } ?? store
    let comparison = try Lookup(store: store)
      .compare(first, to: self.second, in: Lookup(store: second), limit: limit == 0 ? .max : limit)
    if json {
      Output.json(comparison.canonical)
    } else {
      Output.line(comparison.title + (comparison.isEqual ? ": equal" : ""))
      for key in comparison.keys { Output.line("  \(key)") }
      if let trace = comparison.trace { Output.line("  inside the stage first at \(trace)") }
      for place in comparison.places { Output.line("  \(place)") }
      if comparison.isCutOff { Output.line("  ... more than \(limit) places; --limit 0 shows all") }
    }
    if !comparison.isEqual { throw ExitCode(ExitCodes.difference) }
  }
}
