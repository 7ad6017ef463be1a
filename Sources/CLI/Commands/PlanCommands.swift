import ArgumentParser
import Determinism
import Pipelines
import Slurm

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Show what would run, and why.",
    discussion: """
      For each stage that would run: which input, parameter, trait, version or seed differs from the nearest record,
      with the old value and the new one; and the time and disk it took when it last ran. Nothing is written, not even
      a store where there is none. Where data or programs are missing it says which, and exits with 65.

      EXAMPLES:
        autopanoptic plan pipelines/coco.yaml
        autopanoptic plan pipelines/coco.yaml --set retrain.recipe.updates=4000
        autopanoptic plan pipelines/coco.yaml --profile paper
      """)

  @Argument(help: "The pipeline file.", completion: .pipelines)
  var pipeline: String

  @Argument(help: "Stages to plan, with all they need (default: all).", completion: .stages)
  var stages: [String] = []

  @OptionGroup var options: PipelineOptions
  @OptionGroup var machine: MachineOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try machine.apply()
    Signals.install()
    let planner = try options.planner(pipeline, display: Display(json: false), observing: true)
    let plan = try planner.plan(stages: stages)
    try Signals.endIfRequested()
    PlanPrinter.printPlan(plan, isWhole: stages.isEmpty, json: json)
    try PlanPrinter.endWithProblems(of: plan)
  }
}

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show each stage: cached, partial (step k of n), stale, missing, failed, waiting.",
    discussion: """
      With the reason for each that is not cached, the digests of those that are, and their sizes; and the jobs that a
      cluster has of this store, with their states and logs.

      EXAMPLES:
        autopanoptic status pipelines/coco.yaml
        autopanoptic status pipelines/coco.yaml --json
      """)

  @Argument(help: "The pipeline file.", completion: .pipelines)
  var pipeline: String

  @OptionGroup var options: PipelineOptions
  @OptionGroup var machine: MachineOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try machine.apply()
    Signals.install()
    let planner = try options.planner(pipeline, display: Display(json: false), observing: true)
    let plan = try planner.plan()
    try Signals.endIfRequested()
    let usage = try planner.store.usage()
    let jobs = try JobList(store: planner.store)
    if json {
      guard case .object(var members) = plan.canonical else { return }
      members["store"] = ["objects": .integer(usage.objects), "bytes": .integer(usage.bytes)]
      members["jobs"] = .array(jobs.jobs.map(\.canonical))
      Output.json(CanonicalValue.object(members))
    } else {
      PlanPrinter.printStatus(plan)
      JobPrinter.print(jobs)
      Output.line(
        "store \(planner.store.path): \(Units.count(usage.objects, "object")), \(Units.bytes(usage.bytes))")
    }
  }
}
