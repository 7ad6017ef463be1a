import ArgumentParser
import Determinism
import Pipelines

/// Plans as text.
enum PlanPrinter {
  /// - Parameter isWhole: whether all stages are in it; only then its root is that of the pipeline.
  static func printPlan(_ plan: Plan, isWhole: Bool, json: Bool) {
    if json {
      Output.json(plan.canonical)
      return
    }
    if !plan.problems.isEmpty { return printProblems(plan) }
    let width = Units.width(plan.stages.map(\.name))
    for stage in plan.stages {
      var lines = reasons(stage)
      if let cost = stage.lastCost { lines[0] += "  [last took \(text(cost))]" }
      for (i, line) in lines.enumerated() {
        Output.line("  \(Units.pad(i == 0 ? stage.name : "", width))  \(line)")
      }
    }
    let stages = plan.stages.filter { $0.state != .cached }.count
    let waiting = plan.stages.filter { $0.state == .waiting }.count
    if let root = plan.root {
      Output.line("nothing to run" + (isWhole ? "; root \(root.hex)" : ""))
    } else {
      Output.line("\(stages) of \(plan.stages.count) stages to run, \(waiting) of them known only after others")
      let (cost, unknown) = plan.expectedCost
      if unknown < stages {
        let rest = unknown == 0 ? "" : "; \(unknown) of them never ran"
        Output.line("at most \(text(cost)), by what they took when they last ran\(rest)")
      }
    }
  }

  /// What has to be there first, in a few lines: before that, nothing can be said of the stages that need it.
  private static func printProblems(_ plan: Plan) {
    Output.line("this pipeline can't run here yet:")
    for stage in plan.stages {
      if let problem = stage.problem { Output.line("  \(problem.message)") }
    }
    let blocked = plan.blockedStages
    if !blocked.isEmpty { Output.line("  \(Units.count(blocked.count, "stage")) depend on that: \(list(blocked))") }
    let others = plan.stages.filter { $0.problem == nil && $0.state != .cached && !blocked.contains($0.name) }
    if !others.isEmpty { Output.line("  to run without it: \(list(others.map(\.name)))") }
  }

  private static func list(_ names: [String]) -> String {
    names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", ... (\(names.count))" : "")
  }

  /// - Throws: exit code 65 where the pipeline can't run for want of data or programs.
  static func endWithProblems(of plan: Plan) throws {
    if !plan.problems.isEmpty { throw ExitCode(ExitCodes.badData) }
  }

  static func printStatus(_ plan: Plan) {
    let width = Units.width(plan.stages.map(\.name))
    for stage in plan.stages { Output.line("  \(Units.pad(stage.name, width))  \(state(stage))") }
    if let root = plan.root { Output.line("root \(root.hex)") }
  }

  private static func state(_ stage: Plan.StagePlan) -> String {
    if let problem = stage.problem { return "missing: \(problem.message)" }
    var text = stage.state.rawValue
    if stage.state == .waiting { text += " for \(stage.waitsFor.joined(separator: ", "))" }
    if stage.isFannedOut, let count = stage.count {
      text += ", \(stage.instances.filter { $0.state == .cached }.count) of \(count) cached"
    }
    if let checkpoint = stage.instances.compactMap(\.checkpoint).first {
      text += " (step \(checkpoint.step) of \(checkpoint.of))"
    }
    switch stage.state {
    case .waiting:
      if let reason = stage.certainReasons.first, stage.certainReasons.count > 1 { text += "; will run: \(reason)" }
    case .failed: if let reason = stage.instances.flatMap(\.reasons).last { text += ": \(reason)" }
    case .stale, .partial:
      let open = stage.instances.first { $0.state == stage.state }
      if let reasons = open?.reasons, let first = reasons.first {
        // The last line only says what was compared with.
        let more = (open?.differences.count ?? 0) - 1
        text += ": \(first)" + (more > 0 ? ", and \(more) more" : "")
      }
    case .missing: text += ": never run before"
    case .cached:
      if !stage.isFannedOut {
        let outputs = stage.instances[0].outputs.sorted { $0.key.precedesInBytes($1.key) }
        text += "  " + outputs.map { "\($0.key) \($0.value.digest.short)" }.joined(separator: ", ")
      }
      if let cost = stage.lastCost { text += "  \(Units.bytes(cost.bytes))" }
    }
    return text
  }

  private static func reasons(_ stage: Plan.StagePlan) -> [String] {
    if stage.state == .waiting { return waiting(stage) }
    if stage.state == .cached {
      return [stage.isFannedOut ? "cached, \(Units.count(stage.instances.count, "instance"))" : "cached"]
    }
    let open = stage.instances.filter { $0.state != .cached }
    guard stage.isFannedOut else { return lines(open[0]) }
    let total = stage.count ?? stage.instances.count
    var out = ["run \(open.count) of \(total) instances"]
    for instance in open.prefix(3) {
      out += lines(instance).enumerated().map { ($0.offset == 0 ? "\(instance.name): " : "    ") + $0.element }
    }
    if open.count > 3 { out.append("... and \(open.count - 3) more") }
    return out
  }

  private static func waiting(_ stage: Plan.StagePlan) -> [String] {
    let names = stage.waitsFor.joined(separator: ", ")
    let known = "run, once \(names) \(stage.waitsFor.count == 1 ? "is" : "are") known"
    guard let first = stage.certainReasons.first else { return ["\(known); cached if nothing changes there"] }
    return ["\(known): \(first)"] + stage.certainReasons.dropFirst().map { "     \($0)" }
  }

  private static func lines(_ instance: Plan.InstancePlan) -> [String] {
    var first = "run"
    if let checkpoint = instance.checkpoint { first += " from step \(checkpoint.step) of \(checkpoint.of)" }
    guard let reason = instance.reasons.first else { return [first] }
    return ["\(first): \(reason)"] + instance.reasons.dropFirst().map { "     \($0)" }
  }

  private static func text(_ cost: Plan.Cost) -> String {
    "\(Units.duration(cost.seconds)) and \(Units.bytes(cost.bytes))"
  }
}
