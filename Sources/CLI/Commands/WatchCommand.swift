import ArgumentParser
import Foundation
import Pipelines
import Slurm

struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the state of a pipeline and of its jobs again and again, until it is complete.",
    discussion: """
      For runs of other processes, and jobs of a cluster that go on without one. It changes nothing, and ends when all
      stages are cached, or by Ctrl-C. Of trainings, and commands with a 'history', it shows the newest numbers.

      EXAMPLES:
        autopanoptic watch pipelines/coco.yaml
        autopanoptic watch pipelines/coco.yaml --interval 60
      """)

  @Argument(help: "The pipeline file.", completion: .pipelines)
  var pipeline: String

  @Option(help: "Seconds between two looks.")
  var interval = 5.0

  @OptionGroup var options: PipelineOptions

  func validate() throws {
    if !(0.1...86_400).contains(interval) { throw ValidationError("--interval \(interval): expected 0.1 to 86400") }
  }

  func run() throws {
    Signals.install()
    let isTerminal = isatty(1) == 1
    while true {
      // Opened anew each time: what others add to the index is read with it.
      let planner = try options.planner(pipeline, display: Display(json: false), observing: true)
      let plan = try planner.plan()
      try Signals.endIfRequested()
      if isTerminal { Output.write("\u{1B}[H\u{1B}[2J", to: 1) }
      PlanPrinter.printStatus(plan)
      try LivePrinter.print(planner.store)
      JobPrinter.print(try JobList(store: planner.store))
      if plan.root != nil { return }
      let end = Date(timeIntervalSinceNow: interval)
      while Date() < end {
        Thread.sleep(forTimeInterval: 0.1)
        try Signals.endIfRequested()
      }
      if !isTerminal { Output.line("") }
    }
  }
}
