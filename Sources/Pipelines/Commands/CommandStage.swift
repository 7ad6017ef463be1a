import Determinism
import Foundation

/// Runs a command as a stage: inputs laid out read-only in an empty folder, declared outputs taken from it.
struct CommandStage: Sendable {
  let command: Command
  /// Folders that nothing undeclared may be read from: the checkout of the pipeline file.
  let hidden: [String]

  func run(in context: StageContext) throws {
    let sandbox = context.surroundings.sandbox
    context.note("sandbox", .string(sandbox.name))
    var isConfined = false
    if case .bubblewrap = sandbox { isConfined = true }
    var folder = try WorkingFolder(path: context.scratch + "/work")
    for port in context.kind.inputs {
      guard let artifacts = context.inputArtifacts[port.name] else { continue }
      try folder.lay(
        artifacts, isList: port.isList, at: command.places[port.name]!, extensions: context.surroundings.fileExtensions,
        canBind: isConfined)
    }
    for path in command.outputs.map(\.path) + (command.stdout.map { [$0] } ?? []) {
      if let slash = path.lastIndex(of: "/") { try Files.makeFolder("\(folder.path)/\(path[..<slash])") }
    }
    let tools = try makeToolFolder(context)
    let process = try process(folder, tools: tools, context: context)
    let log = logPath(context)
    try Files.write(Array("$ \(shown)\n".utf8), to: log, append: true)
    let ending = try process.run(
      input: standardInput(context), output: command.stdout.map { "\(folder.path)/\($0)" } ?? log, errors: log,
      interruption: context.interruption)
    guard ending == .exited(0) else { throw failure(ending, log: log, context) }
    for output in command.outputs {
      try context.write(output.name) { try take(output, from: folder, to: $0, context) }
    }
  }

  /// In the folder of the run, where there is one.
  private func logPath(_ context: StageContext) -> String {
    guard let log = context.surroundings.log, Files.exists(Checkout.folder(ofFile: log)) else {
      return context.scratch + "/log"
    }
    return log
  }

  private func take(
    _ output: Command.Output, from folder: WorkingFolder, to path: String, _ context: StageContext
  ) throws {
    let stage = context.surroundings.stageName
    // The folder that is there for a tree makes room for the one that the program wrote.
    try Files.remove(path)
    try folder.take(output, to: path, stage: stage)
    guard output.kind == JSONFormat.name else { return }
    do {
      let canonical = try CanonicalValue(json: Files.read(path)).canonicalBytes
      try Files.remove(path)
      try Files.write(canonical, to: path)
    } catch let error as PipelineError {
      throw error
    } catch {
      throw PipelineError(.badStage, "'\(stage)': its output '\(output.name)', \(output.path), is not JSON: \(error)")
    }
  }

  private var shown: String {
    command.words.map { $0.contains(where: { $0 == " " || $0.isNewline || $0 == "'" }) ? "'\($0)'" : $0 }
      .joined(separator: " ")
  }

  private func standardInput(_ context: StageContext) -> String {
    guard let name = command.stdin, let artifact = context.inputArtifacts[name]?.first else { return "/dev/null" }
    return artifact.path
  }

  /// A folder that holds links to the declared programs and is all of the search path.
  private func makeToolFolder(_ context: StageContext) throws -> String {
    let path = context.scratch + "/tools"
    try Files.makeFolder(path)
    for (name, target) in context.surroundings.toolPaths.sorted(by: { $0.key < $1.key }) {
      try Files.link(target, at: "\(path)/\(ToolIdentifier.baseName(name))")
    }
    return path
  }

  private func process(_ folder: WorkingFolder, tools: String, context: StageContext) throws -> ChildProcess {
    var environment = command.environment
    environment["THREADS"] = String(context.threads)
    if command.isRandom { environment["SEED"] = String(context.surroundings.seed) }
    let program = command.words[0]
    guard case .bubblewrap(let wrapper, _) = context.surroundings.sandbox else {
      let temporary = context.scratch + "/tmp"
      try Files.makeFolder(temporary)
      environment["PATH"] = environment["PATH"] ?? tools
      environment["TMPDIR"] = environment["TMPDIR"] ?? temporary
      let executable =
        program.hasPrefix("./") ? folder.path + program.dropFirst() : context.surroundings.toolPaths[program]!
      return ChildProcess(
        executable: executable, arguments: command.words, environment: environment, folder: folder.path)
    }
    environment["PATH"] = environment["PATH"] ?? Sandbox.toolFolder
    let hidden = self.hidden + [context.surroundings.storePath]
    var arguments = ["bwrap"] + Sandbox.confinement(hiding: hidden)
    arguments += ["--bind", folder.path, Sandbox.workingFolder]
    for binding in folder.bindings {
      arguments += ["--ro-bind", binding.source, "\(Sandbox.workingFolder)/\(binding.place)"]
    }
    arguments += ["--ro-bind", tools, Sandbox.toolFolder]
    for path in Set(context.surroundings.toolPaths.values).sorted() where Sandbox.hides(path, hidden) {
      arguments += ["--ro-bind", path, path]
    }
    // By its path, so that a program which looks for files beside itself finds them.
    arguments += ["--chdir", Sandbox.workingFolder, "--", context.surroundings.toolPaths[program] ?? program]
    return ChildProcess(
      executable: wrapper, arguments: arguments + command.words.dropFirst(), environment: environment,
      folder: folder.path)
  }

  private func failure(_ ending: ChildProcess.Ending, log: String, _ context: StageContext) -> PipelineError {
    var message =
      "the command of '\(context.surroundings.stageName)' \(Self.text(ending))"
    let lines = String(decoding: (try? Files.tail(of: log, bytes: 4096)) ?? [], as: UTF8.self).split(separator: "\n")
      .suffix(6)
      .filter { !$0.hasPrefix("$ ") }
    if !lines.isEmpty { message += ":\n" + lines.map { "    \($0.prefix(300))" }.joined(separator: "\n") }
    if !log.hasPrefix(context.scratch) { message += "\n    (all of it in \(log))" }
    return PipelineError(.commandFailed, message)
  }

  private static func text(_ ending: ChildProcess.Ending) -> String {
    // What bubblewrap and shells say where the program was killed by a signal.
    if case .exited(let code) = ending, (129...128 + 31).contains(code) {
      return "\(ending), as after signal \(ChildProcess.Ending.name(ofSignal: code - 128))"
    }
    return ending.description
  }
}
