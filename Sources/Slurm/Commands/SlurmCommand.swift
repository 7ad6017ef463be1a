import Determinism
import Foundation
import PipelineModel

/// A call of one of Slurm's commands.
enum SlurmCommand {
  struct Output {
    var status: Int32
    var text: String
    var errors: String
    var isOK: Bool { status == 0 }
  }

  /// Of a command that did not answer in time, as `timeout` has it.
  private static let timedOut: Int32 = 124

  /// Runs a command to its end.
  ///
  /// What this process inherited of a job that it may run in is kept from the command: it would change where jobs go.
  /// - Throws: code `missingTool` where there is no such command.
  static func run(_ name: String, _ arguments: [String], seconds: Double = 60) throws -> Output {
    let path = try path(of: name)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = environment(ProcessInfo.processInfo.environment)
    process.standardInput = FileHandle.nullDevice
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    let collected = (Collected(output), Collected(errors))
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    do { try process.run() } catch { throw PipelineError(.io, "can't start \(path): \(error.localizedDescription)") }
    var status = SlurmCommand.timedOut
    if ended.wait(timeout: .now() + seconds) == .success {
      status = process.terminationStatus
    } else {
      kill(process.processIdentifier, SIGKILL)
    }
    let words = collected.1.text().trimmingCharacters(in: .whitespacesAndNewlines)
    let complaint = status == timedOut && words.isEmpty ? "\(name) did not answer for \(Int(seconds)) s" : words
    return Output(status: status, text: collected.0.text(), errors: complaint)
  }

  /// - Throws: with the words of the command where it fails.
  @discardableResult
  static func require(_ name: String, _ arguments: [String], seconds: Double = 60) throws -> String {
    let output = try run(name, arguments, seconds: seconds)
    guard output.isOK else { throw PipelineError(.io, "\(name): \(output.errors)") }
    return output.text
  }

  /// Variables of jobs and of Slurm's commands are left out, but for the one that says where the cluster is.
  static func environment(_ inherited: [String: String]) -> [String: String] {
    var prefixes = ["SLURM_", "SBATCH_", "SRUN_", "SQUEUE_", "SCANCEL_", "SALLOC_", "SACCT_", "PMIX_", "PMI_"]
    // Settings of Open MPI are the user's, unless it has started this very process.
    prefixes += inherited["OMPI_COMM_WORLD_SIZE"] == nil ? ["OMPI_COMM_"] : ["OMPI_"]
    return inherited.filter { name, _ in name == "SLURM_CONF" || !prefixes.contains { name.hasPrefix($0) } }
  }

  /// A command's file, in the folders of PATH.
  /// - Throws: code `missingTool` where there is none.
  static func path(of name: String) throws -> String {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
    guard let folder = folders.first(where: { access("\($0)/\(name)", X_OK) == 0 }) else {
      throw PipelineError(
        .missingTool,
        "'\(name)' was not found: --executor slurm needs Slurm's commands (package slurm-client) and a cluster; "
          + "without them run with --executor local")
    }
    return "\(folder)/\(name)"
  }

  /// What comes through a pipe, read on a thread of its own so that neither side waits for ever.
  private final class Collected: @unchecked Sendable {
    // Invariant: `data` is written before `done` is signalled, and read after it was awaited.
    private var data = Data()
    private let done = DispatchSemaphore(value: 0)

    init(_ pipe: Pipe) {
      let handle = pipe.fileHandleForReading
      DispatchQueue.global().async { [self] in
        data = (try? handle.readToEnd()) ?? Data()
        done.signal()
      }
    }

    /// Waits for the end, but not for what a killed command's children hold open.
    func text() -> String {
      guard done.wait(timeout: .now() + 5) == .success else { return "" }
      return String(decoding: data, as: UTF8.self)
    }
  }
}
