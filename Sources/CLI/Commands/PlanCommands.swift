import ArgumentParser
import Pipelines

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Say what would run, and why.",
    discussion: """
      For each stage that would run: which input, parameter, version or seed differs from which record.

      EXAMPLES:
        autopanoptic plan pipelines/coco.yaml
        autopanoptic plan pipelines/coco.yaml --set retrain.epochs=8
        autopanoptic plan pipelines/coco.yaml --profile paper
      """)

  @Argument(help: "The pipeline file.")
  var pipeline: String

  @Argument(help: "Stages to plan, with all they need (default: all).")
  var stages: [String] = []

  @OptionGroup var options: PipelineOptions
  @OptionGroup var machine: MachineOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try machine.apply()
    Signals.install()
    let planner = try options.planner(pipeline, display: Display(json: false), observing: true)
    PlanPrinter.printPlan(try planner.plan(stages: stages), json: json)
  }
}

struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show each stage: cached, partial (step k of n), stale, missing, failed, waiting.",
    discussion: """
      EXAMPLES:
        autopanoptic status pipelines/coco.yaml
        autopanoptic status pipelines/coco.yaml --json
      """)

  @Argument(help: "The pipeline file.")
  var pipeline: String

  @OptionGroup var options: PipelineOptions
  @OptionGroup var machine: MachineOptions

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    try machine.apply()
    Signals.install()
    let plan = try options.planner(pipeline, display: Display(json: false), observing: true).plan()
    if json {
      Output.line(plan.canonical.canonicalText)
    } else {
      PlanPrinter.printStatus(plan)
    }
  }
}

/// Plans as text.
enum PlanPrinter {
  static func printPlan(_ plan: Plan, json: Bool) {
    if json {
      Output.line(plan.canonical.canonicalText)
      return
    }
    let width = plan.stages.map(\.name.count).max() ?? 0
    for stage in plan.stages {
      for (i, line) in reasons(stage).enumerated() {
        Output.line("  \(i == 0 ? pad(stage.name, width) : pad("", width))  \(line)")
      }
    }
    let stages = plan.stages.filter { $0.state != .cached }.count
    let waiting = plan.stages.filter { $0.state == .waiting }.count
    if let root = plan.root {
      Output.line("nothing to run; root \(root.hex)")
    } else {
      Output.line("\(stages) of \(plan.stages.count) stages to run, \(waiting) of them known only after others")
    }
    for problem in plan.problems { Output.line("missing: \(problem.message)") }
  }

  static func printStatus(_ plan: Plan) {
    let width = plan.stages.map(\.name.count).max() ?? 0
    for stage in plan.stages { Output.line("  \(pad(stage.name, width))  \(state(stage))") }
    if let root = plan.root { Output.line("root \(root.hex)") }
  }

  private static func state(_ stage: Plan.StagePlan) -> String {
    var text = stage.state.rawValue
    if let problem = stage.problem { return "missing: \(problem.message)" }
    if stage.isFannedOut, let count = stage.count {
      text += ", \(stage.instances.filter { $0.state == .cached }.count) of \(count) cached"
    }
    if let checkpoint = stage.instances.compactMap(\.checkpoint).first {
      text += " (step \(checkpoint.step) of \(checkpoint.of))"
    }
    if stage.state == .waiting { text += " for \(stage.waitsFor.joined(separator: ", "))" }
    if stage.state == .failed, let reason = stage.instances.flatMap(\.reasons).last { text += ": \(reason)" }
    if stage.state == .cached, !stage.isFannedOut {
      let outputs = stage.instances[0].outputs.sorted { $0.key < $1.key }
      text += "  " + outputs.map { "\($0.key) \($0.value.digest.short)" }.joined(separator: ", ")
    }
    return text
  }

  private static func reasons(_ stage: Plan.StagePlan) -> [String] {
    if stage.problem != nil { return ["cannot run: a folder is missing"] }
    if stage.state == .waiting { return ["run, once \(stage.waitsFor.joined(separator: ", ")) is known"] }
    if stage.state == .cached {
      return [stage.isFannedOut ? "cached, \(stage.instances.count) instances" : "cached"]
    }
    let open = stage.instances.filter { $0.state != .cached }
    guard stage.isFannedOut else {
      return lines(open[0])
    }
    let total = stage.count ?? stage.instances.count
    var out = ["run \(open.count) of \(total) instances"]
    for instance in open.prefix(3) {
      out += lines(instance).enumerated().map { ($0.offset == 0 ? "\(instance.name): " : "    ") + $0.element }
    }
    if open.count > 3 { out.append("... and \(open.count - 3) more") }
    return out
  }

  private static func lines(_ instance: Plan.InstancePlan) -> [String] {
    var first = "run"
    if let checkpoint = instance.checkpoint { first += " from step \(checkpoint.step) of \(checkpoint.of)" }
    guard let reason = instance.reasons.first else { return [first] }
    return ["\(first): \(reason)"] + instance.reasons.dropFirst().map { "     \($0)" }
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
