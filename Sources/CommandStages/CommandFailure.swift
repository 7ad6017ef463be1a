import Determinism
import PipelineModel

/// What to say of a command that failed: how it ended, what it printed last, and what probably helps.
struct CommandFailure {
  private let command: Command
  private let details: StageContext.Details
  private let scratch: String
  private let log: String
  private let lines: [String]
  private let folder: WorkingFolder

  /// - Parameters:
  ///   - log: the file that it printed to.
  ///   - begin: where what it printed begins there.
  init(_ command: Command, in folder: WorkingFolder, _ context: StageContext, log: String, from begin: Int) {
    self.command = command
    details = context.details
    scratch = context.scratch
    self.log = log
    self.folder = folder
    let printed = ((try? Files.status(log).size) ?? begin) - begin
    lines = TextLines.split((try? Files.tail(of: log, bytes: max(0, min(8192, printed)))) ?? [])
      .map { String(decoding: $0, as: UTF8.self) }.filter { !$0.isEmpty }
  }

  func error(_ ending: ChildProcess.Ending) -> PipelineError {
    var message = "the command of '\(details.stageName)' \(text(ending))"
    if !lines.isEmpty {
      message += ":\n" + lines.suffix(6).map { "    \(Printable.line($0.prefix(300)))" }.joined(separator: "\n")
    }
    if !RelativePath.contains(scratch, log) { message += "\n    (all of it in \(log))" }
    if let script = windowsScript {
      message += "\n    '\(script)' has the line ends of Windows (CR LF): save it with those of Unix"
    } else if let hint = FailureHint.find(in: lines, ending, command, details) {
      message += "\n    \(hint)"
    }
    return PipelineError(.commandFailed, message)
  }

  /// A script among the words of the command with lines that no shell understands.
  private var windowsScript: String? {
    let isShell = ["sh", "bash", "dash", "zsh", "ksh"].contains(RelativePath.name(command.words[0]))
    return command.words.dropFirst().first { word in
      guard isShell, RelativePath.problem(word) == nil, let file = folder.source(of: word) else { return false }
      return (try? Files.head(of: file, bytes: 4096))?.contains(0x0D) == true
    }
  }

  private func text(_ ending: ChildProcess.Ending) -> String {
    switch ending {
    // What bubblewrap and shells say where the program was killed by a signal.
    case .exited(let code) where (129...128 + 31).contains(code):
      "\(ending), as after signal \(ChildProcess.Ending.name(ofSignal: code - 128))"
    case .timedOut: "took longer than its 'timeout' of \(Int(saturating: details.rules.timeout ?? 0)) seconds"
    default: ending.description
    }
  }
}
