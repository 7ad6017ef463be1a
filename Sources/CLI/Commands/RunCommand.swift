import ArgumentParser
import Determinism
import Pipelines

struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Bring stages up to date.",
    discussion: """
      Executes what is not cached and ends with the highlights of the stages, and a line 'root <digest>' over
      all artifacts of the pipeline. After an interruption, by Ctrl-C or worse, the next run resumes where this one stopped.

      EXAMPLES:
        autopanoptic run pipelines/coco.yaml
        autopanoptic run pipelines/coco.yaml finetune --profile smoke
        autopanoptic run pipelines/coco.yaml --set retrain.recipe.weight-decay=0.0002 --name decay-2e-4
        COCO=/data/coco autopanoptic run pipelines/coco.yaml --profile paper --threads 16
        autopanoptic run pipelines/coco.yaml --profile paper --executor slurm
      """)

  @Argument(help: "The pipeline file.", completion: .pipelines)
  var pipeline: String

  @Argument(help: "Stages to bring up to date, with all they need (default: all).", completion: .stages)
  var stages: [String] = []

  @OptionGroup var options: PipelineOptions
  @OptionGroup var work: WorkOptions

  @OptionGroup var execution: ExecutionOptions
  @OptionGroup var device: DeviceOptions

  @Flag(help: "After a failure, continue with stages that do not depend on it.")
  var keepGoing = false

  @Flag(help: "Only show what would run, like 'plan'; of jobs of a cluster, their scripts.")
  var dryRun = false

  @Option(help: "A name for this run, by which 'compare', 'log' and others find it; the newest of that name counts.")
  var name: String?

  @Flag(help: "Print events as JSON lines.")
  var json = false

  func run() throws {
    if let name { try RunLabel.check(name, as: "the name of a run") }
    if !dryRun { try device.apply(isLocal: execution.isLocal) }
    var runOptions = try work.runOptions()
    runOptions.keepGoing = keepGoing
    runOptions.details = try options.details(pipeline, stages: stages, name: name, threads: runOptions.threads)
    let display = Display(json: json)
    let planner = try options.planner(pipeline, display: display, observing: dryRun)
    let expected = stages.isEmpty ? try options.expectedRoot(pipeline) : nil
    Signals.install()
    let executor = try execution.executor(
      for: planner.store, pipeline: pipeline, jobs: work.jobs, display: display)
    let runner = Runner(planner: planner, options: runOptions, executor: executor) { display.show($0) }
    if dryRun, let executor {
      for script in try executor.scripts(of: runner.ordersToStart(stages: stages)) { Output.line(script) }
      return
    }
    if dryRun {
      let plan = try planner.plan(stages: stages)
      PlanPrinter.printPlan(plan, isWhole: stages.isEmpty, json: json)
      return try PlanPrinter.endWithProblems(of: plan)
    }
    let result = try runner.run(stages: stages)
    DeviceOptions.printReport()
    if result.wasInterrupted { throw StageInterrupted() }
    if !result.failures.isEmpty {
      throw ExitCode(result.failures.contains(where: \.isUserData) ? ExitCodes.badData : ExitCodes.failure)
    }
    // After a run of some stages the others may be up to date as well.
    let root = stages.isEmpty || json ? result.root : try planner.plan().root
    if !json {
      for stage in result.highlights { Output.line(stage.text) }
      if let root { Output.line("root \(root.hex)") }
    }
    if let root, let expected, expected.root != root.hex {
      Output.error(
        "\(expected.location): error: this run ended in another root than expected (\(expected.root.prefix(12))). "
          + "'autopanoptic doctor' looks for a machine that computes otherwise, 'bisect' for the stage where two stores "
          + "part; where stages or parameters were changed on purpose, the line is to be updated")
      throw ExitCode(ExitCodes.difference)
    }
  }
}
