import ArgumentParser
import Determinism
import Foundation
import PipelineFiles
import Pipelines
import Slurm

/// Where stages are executed.
struct ExecutionOptions: ParsableArguments {
  /// What becomes of jobs when a run is interrupted.
  enum InterruptPolicy: String, ExpressibleByArgument, CaseIterable {
    case ask, leave, cancel
  }

  @Option(
    help: ArgumentHelp(
      "Where stages run: local, slurm, or one that the pipeline file describes under 'executors', or a file "
        + "executors/NAME.yaml beside it (default: local).", valueName: "name"))
  var executor = "local"

  @Option(
    help: ArgumentHelp(
      "With a cluster: the least that a job should take, in minutes; short instances of a stage share one (default: "
        + "0, each its own).", valueName: "n"))
  var minMinutes: Double?

  @Option(
    help: ArgumentHelp(
      "With a cluster, after Ctrl-C: leave jobs, which the next run waits for, cancel them, or ask (default: ask on a "
        + "terminal, else leave).", valueName: "what"))
  var onInterrupt: InterruptPolicy?

  func validate() throws {
    if let minMinutes, !(0...1e6).contains(minMinutes) {
      throw ValidationError("--min-minutes \(minMinutes): expected 0 to 1000000")
    }
    if executor == "local", minMinutes != nil || onInterrupt != nil {
      throw ValidationError(
        "\(minMinutes != nil ? "--min-minutes" : "--on-interrupt") is for clusters; give --executor as well")
    }
  }

  var isLocal: Bool { executor == "local" }

  /// Nil for threads of this process.
  func executor(for store: Store, pipeline: String?, jobs: Int?, display: Display) throws -> SlurmExecutor? {
    if isLocal { return nil }
    var settings = SlurmSettings()
    if executor != "slurm" {
      // Without a pipeline, files in the folder 'executors' of the working directory are there to be named.
      let file = try pipeline.map { try PipelineFile(path: $0) } ?? PipelineFile(text: "{}", path: "pipeline.yaml")
      settings = SlurmSettings(try file.executor(named: executor))
    }
    if let minMinutes { settings.leastSeconds = minMinutes * 60 }
    if let jobs { settings.limit = jobs }
    let policy = onInterrupt ?? (isatty(0) == 1 && isatty(2) == 1 ? .ask : .leave)
    return try SlurmExecutor(store: store, settings: settings) {
      display.show(.notice($0))
    } decide: { count in
      switch policy {
      case .leave: .leave
      case .cancel: .cancel
      case .ask: ExecutionOptions.ask(count)
      }
    }
  }

  private static func ask(_ count: Int) -> SlurmExecutor.Leftovers {
    Output.write(
      "\n\(Units.count(count, "instance")) in the queue. Leave the jobs, so that the next run waits for them, or cancel "
        + "them? [L/c] ", to: 2)
    guard let answer = readLine() else { return .leave }
    return answer.lowercased().hasPrefix("c") ? .cancel : .leave
  }
}
