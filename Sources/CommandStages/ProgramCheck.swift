import Determinism
import PipelineModel

/// Looks at a program that is one of the stage's inputs before it is started: what the kernel says of such files is hard to
/// understand.
struct ProgramCheck {
  private let command: Command
  private let folder: WorkingFolder
  private let details: StageContext.Details

  init(_ command: Command, in folder: WorkingFolder, _ details: StageContext.Details) {
    (self.command, self.folder, self.details) = (command, folder, details)
  }

  /// - Throws: where the program can't be started, with what to do.
  func refuse() throws {
    guard command.isInFolder else { return }
    let word = command.words[0]
    let place = RelativePath.withoutDot(word)
    guard let file = folder.source(of: place) else {
      let inputs = command.places.values.sortedByBytes().joined(separator: ", ")
      throw failure(
        "its program '\(word)' is not in the working folder, which holds its inputs\(inputs.isEmpty ? ": none" : " (\(inputs))")"
          + "; declare it under 'needs'")
    }
    guard let status = try Files.optionalStatus(file), status.isRegular else {
      throw failure("its program '\(word)' is a folder; name a file in it")
    }
    let head = (try? Files.head(of: file, bytes: 256)) ?? []
    let interpreter = interpreter(head)
    guard status.isExecutable else {
      let name = interpreter.map { RelativePath.name($0) == "env" ? "python" : RelativePath.name($0) }
      let way =
        name.map { "run it by its interpreter: 'run: [\($0), \(place)]'" }
        ?? "run it by a program that reads it: 'run: [python, \(place)]'"
      throw failure(
        "its program '\(word)' has no permission to be executed: 'chmod +x' it where it comes from, or \(way)")
    }
    guard let line = head.split(separator: 0x0A, omittingEmptySubsequences: false).first,
      head.starts(with: Array("#!".utf8))
    else { return }
    if line.last == 0x0D {
      throw failure(
        "its program '\(word)' has the line ends of Windows (CR LF), which no kernel takes: save it with those of Unix")
    }
    guard let interpreter, !Files.exists(interpreter), details.tools.environment?.root == nil else { return }
    throw failure(
      "its program '\(word)' names an interpreter that is not there: '\(Printable.line(interpreter))'. Correct its first "
        + "line, or run it by its interpreter: 'run: [python, \(place)]'")
  }

  private func failure(_ why: String) -> PipelineError {
    PipelineError(.commandFailed, "'\(details.stageName)': \(why)")
  }

  private func interpreter(_ head: [UInt8]) -> String? {
    guard head.starts(with: Array("#!".utf8)) else { return nil }
    let word = head.dropFirst(2).drop { $0 == 0x20 }.prefix { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    guard word.first == UInt8(ascii: "/"), let path = String(validating: word, as: UTF8.self) else { return nil }
    return path
  }
}
