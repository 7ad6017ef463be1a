import Determinism
import Foundation
import PipelineModel

/// Runs a command as a stage: inputs laid out read-only in an empty folder, declared outputs taken from it.
struct CommandStage: Sendable {
  let command: Command

  func run(in context: StageContext) throws {
    let sandbox = try Sandbox.find(context.details.sandbox)
    context.note("sandbox", .string(sandbox.name))
    let isConfined = sandbox.isSandbox
    try refuseLongWords(context, isConfined: isConfined)
    let folder = try layOut(context, isConfined: isConfined)
    defer { try? removeTree(folder.path) }
    let log = logPath(context)
    var attempt = 0
    while true {
      do {
        try execute(folder, sandbox, log: log, context)
        break
      } catch let error as PipelineError where error.code == .commandFailed && attempt < context.details.rules.retries {
        attempt += 1
        context.notice("attempt \(attempt) failed, of \(context.details.rules.retries + 1): \(error.message)")
        try folder.clear(keeping: command)
      } catch let error as PipelineError where error.code == .commandFailed || error.code == .badStage {
        throw PipelineError(error.code, at: error.location, error.message + keep(folder, context))
      }
    }
    try folder.requireUnchanged()
    if command.outputs.isEmpty, let left = folder.leftFiles(of: command) {
      context.notice("the command left \(left), and declares no 'outputs': nothing of it is kept")
    }
  }

  /// The folder that the command works in.
  func layOut(_ context: StageContext, isConfined: Bool) throws -> WorkingFolder {
    var folder = try WorkingFolder(path: context.scratch + "/work", stage: context.details.stageName)
    for port in context.kind.inputs {
      guard let artifacts = context.inputArtifacts[port.name] else { continue }
      try folder.lay(
        artifacts, isList: port.isList, at: command.places[port.name]!, extensions: context.details.fileExtensions,
        canBind: isConfined, store: context.details.storePath)
    }
    try folder.makeParents(of: command)
    let program = RelativePath.withoutDot(command.words[0])
    if command.isInFolder, command.places.values.contains(where: { $0.hasSameBytes(as: program) }) {
      try folder.makeExecutable(program)
    }
    return folder
  }

  private func execute(_ folder: WorkingFolder, _ sandbox: Sandbox, log: String, _ context: StageContext) throws {
    try ProgramCheck(command, in: folder, context.details).refuse()
    let process = try process(folder, in: sandbox, context)
    try Files.write(Array("$ \(shown)\n".utf8), to: log, append: true)
    let begin = try Files.status(log).size
    try requireTools(context.details)
    let tail = command.curve.flatMap { CurveTail("\(folder.path)/\($0)", in: context) }
    defer { tail?.stop() }
    let ending: ChildProcess.Ending
    do {
      ending = try process.run(
        input: try standardInput(context), output: command.stdout.map { "\(folder.path)/\($0)" } ?? log, errors: log,
        limit: context.details.rules.timeout ?? .infinity,
        grace: context.details.rules.resume ? 30 : ChildProcess.grace,
        listener: LineListener { context.printed($0) },
        interruption: context.interruption)
    } catch let error as StageInterrupted {
      if !context.details.rules.resume {
        context.notice(
          "interrupted, and starts anew with the next run. A program that saves its state in CHECKPOINT_DIR goes on where "
            + "it stopped, if the stage says 'resume: true'")
      }
      throw error
    }
    guard ending == .exited(0) else {
      throw CommandFailure(command, in: folder, context, log: log, from: begin).error(ending)
    }
    // A program may not notice that what it wrote was not kept.
    if let free = Files.freeSpace(folder.path), free < 1 << 16 {
      throw PipelineError(
        .diskFull,
        "'\(context.details.stageName)': the disk was full when its command ended, so its outputs may lack something; "
          + "nothing was stored. Free some space and run again")
    }
    try requireTools(context.details)
    try context.details.tools.environment?.requireUnchanged(stage: context.details.stageName)
    for output in command.outputs {
      try context.write(output.name) { try take(output, from: folder, to: $0, canMove: sandbox.isSandbox, context) }
    }
  }

  /// Keeps the folder of a command that failed, for people to look at.
  /// - Returns: what to say about it.
  private func keep(_ folder: WorkingFolder, _ context: StageContext) -> String {
    guard let kept = context.details.keptFolder else { return "" }
    do {
      try removeTree(kept)
      try Files.makeFolder(Checkout.folder(ofFile: kept))
      try Files.rename(folder.path, to: kept)
    } catch {
      return ""
    }
    return "\n    (its folder is kept: \(kept); 'autopanoptic shell PIPELINE \(context.details.stageName)' enters it)"
  }

  private func requireTools(_ details: StageContext.Details) throws {
    for (_, tool) in details.tools.paths.sorted(by: { $0.key < $1.key }) {
      try tool.requireUnchanged(stage: details.stageName)
    }
  }

  /// In the folder of the run, where there is one.
  private func logPath(_ context: StageContext) -> String {
    guard let log = context.details.log, Files.exists(Checkout.folder(ofFile: log)) else {
      return context.scratch + "/log"
    }
    return log
  }

  private func take(
    _ output: Command.Output, from folder: WorkingFolder, to path: String, canMove: Bool, _ context: StageContext
  ) throws {
    // The folder that is there for a tree makes room for the one that the program wrote.
    try Files.remove(path)
    guard StructuredOutput.isStructured(output.kind) else { return try folder.take(output, to: path, canMove: canMove) }
    let raw = path + ".raw"
    try folder.take(output, to: raw, canMove: canMove)
    let value = try StructuredOutput.value(of: output, at: raw, stage: context.details.stageName)
    try Files.write(value.canonicalBytes, to: path)
    try Files.remove(raw)
  }

  private var shown: String {
    command.words.map { $0.contains(where: { $0 == " " || $0.isNewline || $0 == "'" }) ? "'\($0)'" : $0 }
      .joined(separator: " ")
  }

  /// The file that the program reads.
  private func standardInput(_ context: StageContext) throws -> String? {
    guard let name = command.stdin, let artifacts = context.inputArtifacts[name], let artifact = artifacts.first else {
      return nil
    }
    let isList = context.kind.inputs.contains { $0.name == name && $0.isList }
    guard artifact.manifest == nil, !isList else {
      throw PipelineError(
        .badStage,
        "'\(context.details.stageName)': its stdin '\(name)' is \(isList ? "a list" : "a tree"), not one file; "
          + "read its files in the working folder")
    }
    return artifact.path
  }
}
