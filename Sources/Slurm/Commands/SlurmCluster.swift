import Determinism
import Foundation
import PipelineModel

/// A cluster as Slurm's commands show it.
struct SlurmCluster: Cluster {
  /// - Throws: code `missingTool` where Slurm's commands are not there.
  init() throws {
    for tool in ["sbatch", "squeue", "scontrol", "scancel"] { _ = try SlurmCommand.path(of: tool) }
  }

  /// Indices of elements are below Slurm's limit.
  func arrayLimit() -> Int {
    let text = (try? SlurmCommand.run("scontrol", ["show", "config"]))?.text ?? ""
    let line = TextLines.split(text).first { $0.hasPrefix("MaxArraySize") }
    let limit = line?.split(separator: "=").last.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    return max(1, limit ?? 1001)
  }

  func submit(script: String) throws -> String? {
    let output = try SlurmCommand.run("sbatch", ["--parsable", "--export=ALL", script])
    return output.isOK ? nil : output.errors
  }

  func queue(of store: String) throws -> (queue: Queue?, complaint: String) {
    let output = try SlurmCommand.run("squeue", ["-h", "-r", "--me", "-t", "all", "-o", Queue.format])
    return output.isOK ? (Queue(text: output.text, store: store), "") : (nil, output.errors)
  }

  func cancel(_ jobs: [String]) {
    // A command line has room for so many.
    for first in stride(from: 0, to: jobs.count, by: 200) {
      _ = try? SlurmCommand.run("scancel", Array(jobs[first..<min(jobs.count, first + 200)]))
    }
  }

  /// Some versions report a job that took too much as killed, and no more.
  func lackedMemory(_ job: String) -> Bool {
    let text = (try? SlurmCommand.run("scontrol", ["show", "job", "-o", job]))?.text ?? ""
    return ["ExitCode=0:9", "ExitCode=137:0", "ExitCode=0:125", "OUT_OF_MEMORY"].contains { text.contains($0) }
  }

  func pause(seconds: Double) { Thread.sleep(forTimeInterval: seconds) }
}
