import ArgumentParser
import Determinism
import Pipelines

struct Repair: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Restore damaged or missing artifacts, and prove that they are the recorded ones.",
    discussion: """
      Each damaged artifact is set aside under 'damaged/' in the store, only the stage that made it is executed again,
      from its record, and the result is stored only if its digest is the recorded one. What that stage reads is mended
      first. A damaged record is set aside as well; the next run of its pipeline makes a new one.

      Exits with 0 if everything was repaired, 2 if a stage gave another result, 1 if something could not be repaired.

      EXAMPLES:
        autopanoptic repair
        autopanoptic repair finetune
        autopanoptic repair 3fa91c --store /data/artifacts
        autopanoptic repair 'evaluate[3]' --set COCO=/data/coco
      """)

  @Argument(help: "IDs of artifacts or records, or stages (default: whatever is damaged or missing).")
  var targets: [String] = []

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("A variable with the folder of a source (COCO=/path). Repeatable.", valueName: "name=value"))
  var settings: [String] = []

  @Flag(help: "Print JSON.")
  var json = false

  @OptionGroup var stores: StoreOptions
  @OptionGroup var confinement: SandboxOptions
  @OptionGroup var machine: MachineOptions
  @OptionGroup var execution: ExecutionOptions

  func run() throws {
    var options = try machine.runOptions()
    confinement.apply(to: &options)
    _ = try stores.openExisting()
    Signals.install()
    let display = Display(json: false)
    let store = try stores.open()
    let repairer = Reexecution(
      store: store, variables: try Variables.all(settings), options: options, interruption: Signals.interruption,
      executor: try execution.executor(for: store, pipeline: nil, jobs: nil, display: display)
    ) { display.show($0) }
    let report = try repairer.repair(targets)
    if json {
      Output.json(report.canonical)
    } else {
      for item in report.items {
        Output.line("\(item.subject) (\(item.path)): \(item.damage)\n  \(text(item.outcome))")
      }
      let mended = report.items.count { if case .repaired = $0.outcome { true } else { false } }
      Output.line(
        report.items.isEmpty
          ? "\(Units.count(report.checked, "artifact")) checked: nothing to repair"
          : "\(mended) of \(Units.count(report.items.count, "damage")) repaired")
    }
    if report.hasDifferences { throw ExitCode(ExitCodes.difference) }
    if !report.isComplete { throw ExitCode(ExitCodes.failure) }
  }

  private func text(_ outcome: RepairReport.Item.Outcome) -> String {
    switch outcome {
    case .repaired(let seconds): "repaired in \(Units.duration(seconds)); the digest is the recorded one"
    case .setAside: "set aside; run its pipeline to execute its stage again"
    case .differs(let why): "not repaired: \(why)"
    case .impossible(let why): "not repaired: \(why)"
    }
  }
}
