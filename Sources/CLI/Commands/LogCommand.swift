import ArgumentParser
import Determinism
import Pipelines

struct Log: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List past runs, or show one: what ran when, for how long, and with which results.",
    discussion: """
      A run that found everything cached leaves no entry, unless it has a name or was asked for something else than the
      run of that pipeline before it.

      EXAMPLES:
        autopanoptic log
        autopanoptic log --limit 5
        autopanoptic log 20260131-120000
        autopanoptic log 20260131-120000 --json
      """)

  @Argument(help: "A run: its ID or the beginning of it, its name, or a tag (default: list all).")
  var name: String?

  @Option(help: "Runs listed at most, newest first; 0 means all.")
  var limit = 20

  @Option(help: "List only runs with this tag.")
  var tag: String?

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var stores: StoreOptions

  func validate() throws {
    if limit < 0 { throw ValidationError("--limit \(limit): expected 0 or more") }
  }

  func run() throws {
    let history = RunHistory(store: try stores.openExisting())
    if let name {
      let run = try history.run(name)
      if json {
        Output.json(run.canonical)
      } else {
        print(run)
      }
      return
    }
    let most = limit == 0 ? .max : limit
    for run in try history.newest(most, tag: tag) {
      if json {
        Output.json(run.canonical)
      } else {
        Output.line(summary(run))
      }
    }
    let ids = try history.ids()
    if !json, tag == nil, limit > 0, ids.count > limit {
      Output.line("... \(ids.count - limit) earlier; --limit 0 lists all")
    }
  }

  /// `20260131-120000-ab12cd  coco  finished in 3 m 20 s, 5 executed, 66 cached  root 3fa91c...`
  private func summary(_ run: RunSummary) -> String {
    let labels = ([run.details?.name].compactMap(\.self) + run.tags.map { "#\($0)" }).joined(separator: " ")
    var text =
      "\(run.id)  \(run.pipeline)  \(labels.isEmpty ? "" : "\(labels)  ")\(run.end == .open ? "no end: killed, or running" : run.end.rawValue)"
    if let seconds = run.seconds { text += " in \(Units.duration(seconds))" }
    for state in [RunSummary.Step.State.executed, .cached, .failed, .interrupted, .running, .submitted] {
      let count = run.steps.count { $0.state == state }
      if count > 0 { text += ", \(count) \(state.rawValue)" }
    }
    return text + (run.root.map { "  root \($0.short)" } ?? "")
  }

  private func print(_ details: RunDetails) {
    func line(_ name: String, _ text: String?) {
      if let text, !text.isEmpty { Output.line("\(name) \(text)") }
    }
    line("command", (["autopanoptic"] + details.arguments).map(\.quotedForShell).joined(separator: " "))
    line("profile", details.profile)
    line("seed", details.seed.map { String($0) })
    line("settings", details.settings.joined(separator: " "))
    line("program", details.program)
    line("commit", details.commit)
    let machine = details.machine.sorted { $0.key.precedesInBytes($1.key) }
    line(
      "machine", machine.map { "\($0.key) \($0.value.stringValue ?? $0.value.canonicalText)" }.joined(separator: ", "))
    for (name, value) in details.environments.sorted(by: { $0.key.precedesInBytes($1.key) }) {
      line("environment \(name)", value.stringValue ?? value.canonicalText)
    }
  }

  private func print(_ run: RunSummary) {
    Output.line(summary(run))
    Output.line("started \(run.started)")
    if let details = run.details { print(details) }
    let width = Units.width(run.steps.map(\.stage))
    for step in run.steps {
      var text = "  \(Units.pad(step.stage, width))  \(Units.pad(step.state.rawValue, 8))"
      if step.state != .cached { text += "  \(step.started)" }
      if let seconds = step.seconds { text += "  \(Units.duration(seconds))" }
      let outputs = step.outputs.sorted { $0.key.precedesInBytes($1.key) }.map { "\($0.key) \($0.value.digest.short)" }
      if !outputs.isEmpty { text += "  " + outputs.joined(separator: ", ") }
      if let message = step.message { text += "  \(message)" }
      if let log = step.log { text += "  job \(step.job ?? "?") \(log)" }
      Output.line(text)
    }
    if let root = run.root { Output.line("root \(root.hex)") }
  }
}
