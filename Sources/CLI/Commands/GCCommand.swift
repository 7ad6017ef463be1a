import ArgumentParser
import Determinism
import Pipelines

struct GC: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Remove from the store what is not needed.",
    discussion: """
      By default: objects that no record names, what repairs set aside, checkpoints of stages that are done,
      and what dead runners left. With --keep-runs, or with pipelines, also records, objects, checkpoints and journals
      that neither the newest runs nor those pipelines (as --profile, --seed and --set make them) rest on. What a kept
      record was made from stays as well. Nothing is removed while another command works on the store.

      EXAMPLES:
        autopanoptic gc --dry-run
        autopanoptic gc
        autopanoptic gc --keep-runs 5 --dry-run
        autopanoptic gc pipelines/coco.yaml pipelines/components.yaml
      """)

  @Argument(
    help: "Pipelines whose artifacts are kept, with --keep-runs those of the runs too.",
    completion: .pipelines)
  var pipelines: [String] = []

  @Option(help: ArgumentHelp("Keep what the newest n runs used, and no other.", valueName: "n"))
  var keepRuns: Int?

  @Flag(help: "Only show what would be removed.")
  var dryRun = false

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var options: PipelineOptions
  @OptionGroup var machine: MachineOptions

  func validate() throws {
    if let keepRuns, keepRuns < 0 { throw ValidationError("--keep-runs \(keepRuns): expected 0 or more") }
  }

  func run() throws {
    try machine.apply()
    if pipelines.isEmpty { try options.requireNone("none is named") }
    let observed = try options.stores.openExisting(options.registry())
    func plans() throws -> [Plan] {
      try pipelines.map { pipeline in
        let plan = try options.planner(pipeline, display: Display(json: false), observing: true).plan()
        if let missing = plan.problems.first { throw missing }
        return plan
      }
    }
    let garbage =
      dryRun
      ? try GarbageCollector(store: observed).find(keeping: plans(), runs: keepRuns)
      : try GarbageCollector(store: options.stores.open(options.registry())).collect(keeping: plans, runs: keepRuns)
    if json {
      guard case .object(var members) = garbage.canonical else { return }
      members["removed"] = .bool(!dryRun)
      Output.json(CanonicalValue.object(members))
      return
    }
    if dryRun {
      for item in garbage.items { Output.line("\(item.path)  \(Units.bytes(item.bytes))  \(item.reason)") }
    }
    for (reason, items) in Dictionary(grouping: garbage.items, by: \.reason).sorted(by: {
      $0.key.precedesInBytes($1.key)
    }) {
      let bytes = items.lazy.map(\.bytes).sumSaturated()
      Output.line("\(reason): \(items.count), \(Units.bytes(bytes))")
    }
    Output.line(
      "\(Units.bytes(garbage.bytes)) \(dryRun ? "would be freed" : "freed"); "
        + "\(Units.count(garbage.keptRecords, "record")) and \(Units.bytes(garbage.keptBytes)) stay")
  }
}
