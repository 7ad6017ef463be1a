import ArgumentParser
import Determinism
import Pipelines
import Reports

struct Runs: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List past runs with their names, tags, results and parameters.",
    discussion: """
      Parameters are those that were set on the command line: what differs from the defaults of the profile. A run that
      found everything cached is listed where it has a name, or where the run of that pipeline before it was asked for
      something else.

      EXAMPLES:
        autopanoptic runs
        autopanoptic runs --pipeline coco --tag good
        autopanoptic runs --format csv --limit 0
      """)

  @Option(help: "Only runs of this pipeline.")
  var pipeline: String?

  @Option(help: "Only runs with this tag.")
  var tag: String?

  @Option(help: "Runs listed at most, newest first; 0 means all.")
  var limit = 20

  @Option(help: "text, csv, markdown or json.")
  var format = ComparisonFormat.text

  @OptionGroup var stores: StoreOptions

  func validate() throws {
    if limit < 0 { throw ValidationError("--limit \(limit): expected 0 or more") }
  }

  func run() throws {
    let history = RunHistory(store: try stores.openExisting())
    let runs = try history.newest(limit == 0 ? .max : limit, pipeline: pipeline, tag: tag)
    if format == .json {
      Output.json(
        .array(
          runs.map { run in
            guard case .object(var members) = run.canonical else { return run.canonical }
            members["stages"] = .integer(run.steps.count)
            return .object(members)
          }))
      return
    }
    let header = [
      "run", "name", "tags", "pipeline", "profile", "seed", "state", "took", "root", "parameters",
    ]
    let rows = runs.map { run -> [String] in
      let details = run.details
      let counts = [RunSummary.Step.State.executed, .cached, .failed].compactMap { state -> String? in
        let count = run.steps.count { $0.state == state }
        return count == 0 ? nil : "\(count) \(state.rawValue)"
      }
      let state = run.end == .open ? "no end" : run.end.rawValue
      return [
        run.id, details?.name ?? "", run.tags.joined(separator: " "), run.pipeline, details?.profile ?? "",
        details?.seed.map { String($0) } ?? "", ([state] + counts).joined(separator: ", "),

        run.seconds.map(Units.duration) ?? "", run.root?.short ?? "", (details?.settings ?? []).joined(separator: " "),
      ]
    }
    Output.write(PlainTable(header: header, rows: rows, alignment: .left).rendered(as: format).printable, to: 1)
  }
}

struct Tag: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Add tags to a run.",
    discussion: """
      A tag finds the newest run that has it: 'autopanoptic compare best baseline'. 'gc --keep-runs' keeps runs with tags.

      EXAMPLES:
        autopanoptic tag 20260131-120000 best
        autopanoptic tag decay-2e-4 best checked
      """)

  @Argument(help: ArgumentHelp("A run: its ID or the beginning of it, its name, or a tag.", valueName: "run"))
  var reference: String

  @Argument(help: "Tags.")
  var tags: [String]

  @OptionGroup var stores: StoreOptions

  func run() throws {
    _ = try stores.openExisting()
    let history = RunHistory(store: try stores.open())
    try history.addTags(tags, to: history.run(reference).id)
  }
}

struct Untag: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Remove tags from a run.",
    discussion: """
      EXAMPLES:
        autopanoptic untag 20260131-120000 best
      """)

  @Argument(help: ArgumentHelp("A run: its ID or the beginning of it, its name, or a tag.", valueName: "run"))
  var reference: String

  @Argument(help: "Tags.")
  var tags: [String]

  @OptionGroup var stores: StoreOptions

  func run() throws {
    _ = try stores.openExisting()
    let history = RunHistory(store: try stores.open())
    try history.removeTags(tags, from: history.run(reference).id)
  }
}

extension ComparisonFormat: ExpressibleByArgument {}
