import ArgumentParser
import Determinism
import Foundation
import Pipelines
import TensorFiles
import Tensors

@main
enum Program {
  static func main() {
    Output.prepare()
    limitColumns()
    exit(Output.finish(run(Array(CommandLine.arguments.dropFirst()))))
  }

  /// - Returns: the exit code.
  private static func run(_ arguments: [String]) -> Int32 {
    if let number = argumentThatIsNoText() {
      Output.error("error: word \(number) of the command line is not UTF-8 text; rename what it names")
      return ExitCode.validationFailure.rawValue
    }
    // The child process of `digest`: it reads untrusted HDF5 and nothing else.
    if arguments.first == ForeignFile.command {
      return ForeignFile.serve(Array(arguments.dropFirst())) { Output.line($0) }
    }
    // A child of `doctor`.
    if arguments.first == SelfTest.command { return SelfTest.serve(Array(arguments.dropFirst())) }
    // A write beyond the limit on the size of files then fails, with words, where it would end the process.
    signal(SIGXFSZ, SIG_IGN)
    TensorMemory.endProgram { message in
      Output.error("error: \(message)")
      _exit(ExitCodes.failure)
    }
    FileGuard.current = Bundle.main.executablePath.map { FileGuard(executable: $0) }
    do {
      var command = try AutoPanoptic.parseAsRoot()
      try command.run()
      return 0
    } catch {
      return report(error)
    }
  }

  /// - Returns: the exit code.
  private static func report(_ error: any Error) -> Int32 {
    switch error {
    case is StageInterrupted:
      Output.error("interrupted; the next run resumes from here")
      return ExitCodes.interrupted
    case let error as any DiagnosableError:
      Output.error(error.description.contains("error: ") ? error.description : "error: \(error)")
      return error.isUserData ? ExitCodes.badData : ExitCodes.failure
    case let error as DecodingError:
      Output.error("error: \(error.plainText)")
      return ExitCodes.badData
    case let error as CocoaError:
      // Of the library underneath; its own description is no sentence.
      let place = error.filePath.map { "\($0): " } ?? ""
      Output.error("error: \(place)\(error.localizedDescription)")
      return ExitCodes.failure
    default:
      // Help, versions and completions are such errors too, with the exit code 0.
      let code = AutoPanoptic.exitCode(for: error)
      let text = AutoPanoptic.fullMessage(for: error, columns: columns)
      if !text.isEmpty { Output.write(text + "\n", to: code == .success ? 1 : 2) }
      return code.rawValue
    }
  }

  /// Swift puts U+FFFD for what is not UTF-8, so that another file would be read or written than the one that was
  /// named.
  /// - Returns: the number of the word, from 1.
  private static func argumentThatIsNoText() -> Int? {
    (0..<Int(CommandLine.argc)).first { i in
      guard let word = CommandLine.unsafeArgv[i] else { return false }
      return i > 0 && String(validatingCString: word) == nil
    }
  }

  /// Of help. The library takes any number for its width, and leaves text out where there is no room.
  private static let widths = 60...500

  /// Makes of the variable COLUMNS what the library can use.
  private static func limitColumns() {
    guard let text = ProcessInfo.processInfo.environment["COLUMNS"] else { return }
    if let columns = Int(text) {
      setenv("COLUMNS", String(min(max(columns, widths.lowerBound), widths.upperBound)), 1)
    } else {
      unsetenv("COLUMNS")
    }
  }

  private static var columns: Int {
    if let columns = getenv("COLUMNS").flatMap({ Int(String(cString: $0)) }) { return columns }
    var size = winsize()
    guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return max(Int(size.ws_col), widths.lowerBound)
  }
}
