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
    var folder = try WorkingFolder(path: context.scratch + "/work", stage: context.details.stageName)
    defer { try? removeTree(folder.path) }
    for port in context.kind.inputs {
      guard let artifacts = context.inputArtifacts[port.name] else { continue }
      try folder.lay(
        artifacts, isList: port.isList, at: command.places[port.name]!, extensions: context.details.fileExtensions,
        canBind: isConfined, store: context.details.storePath)
    }
    for path in command.outputs.map(\.path) + (command.stdout.map { [$0] } ?? []) {
      if let parent = RelativePath.parent(path) { try Files.makeFolder("\(folder.path)/\(parent)") }
    }
    let process = try process(folder, in: sandbox, context)
    let log = logPath(context)
    try Files.write(Array("$ \(shown)\n".utf8), to: log, append: true)
    let begin = try Files.status(log).size
    try requireTools(context)
    let tail = command.curve.flatMap { CurveTail("\(folder.path)/\($0)", in: context) }
    defer { tail?.stop() }
    let ending = try process.run(
      input: try standardInput(context), output: command.stdout.map { "\(folder.path)/\($0)" } ?? log, errors: log,
      interruption: context.interruption)
    guard ending == .exited(0) else { throw failure(ending, log: log, from: begin, context) }
    try requireTools(context)
    try folder.requireUnchanged()
    for output in command.outputs {
      try context.write(output.name) { try take(output, from: folder, to: $0, canMove: isConfined, context) }
    }
  }

  private func requireTools(_ context: StageContext) throws {
    for (_, tool) in context.details.tools.sorted(by: { $0.key < $1.key }) {
      try tool.requireUnchanged(stage: context.details.stageName)
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

  /// - Throws: where the system, or bubblewrap, takes no command as long as this.
  private func refuseLongWords(_ context: StageContext, isConfined: Bool) throws {
    func long(_ what: String) -> PipelineError {
      PipelineError(
        .commandFailed,
        "'\(context.details.stageName)': \(what); put what is long into a file, and let the program read that")
    }
    // MAX_ARG_STRLEN of the kernel, with the zero at the end.
    let most = 131_071
    var bytes = 0
    for (i, word) in command.words.enumerated() {
      if word.utf8.count > most {
        throw long("word \(i + 1) of its 'run' has \(word.utf8.count) bytes, and the system takes \(most) at most")
      }
      bytes += word.utf8.count + 9
    }
    for (name, value) in command.environment.sorted(by: { $0.key.precedesInBytes($1.key) }) {
      let count = name.utf8.count + value.utf8.count + 1
      if count > most {
        throw long("its variable '\(name)' has \(count) bytes, and the system takes \(most) at most")
      }
      bytes += count + 9
    }
    let limit = sysconf(Int32(_SC_ARG_MAX)) - 16_384
    if bytes > limit {
      throw long("its 'run' and 'environment' have \(bytes) bytes, and the system takes about \(limit)")
    }
    // MAX_ARGS of bubblewrap, for its own words and these; a variable takes three.
    let (own, all) = (4000, 9000)
    let count = command.words.count + 3 * command.environment.count
    if isConfined, count > all - own {
      throw long("its 'run' and 'environment' are \(count) words, and bubblewrap takes about \(all - own)")
    }
  }

  /// A folder that holds links to the declared programs and is all of the search path.
  private func makeToolFolder(_ path: String, _ context: StageContext) throws {
    try Files.makeFolder(path)
    for (name, tool) in context.details.tools.sorted(by: { $0.key < $1.key }) {
      try Files.link(tool.path, at: "\(path)/\(RelativePath.name(name))")
    }
  }

  private func process(_ folder: WorkingFolder, in sandbox: Sandbox, _ context: StageContext) throws -> ChildProcess {
    var environment = command.environment
    environment["THREADS"] = String(context.threads)
    if command.isRandom { environment["SEED"] = String(context.details.seed) }
    let program = command.words[0]
    let found = context.details.tools[program]?.path
    guard case .bubblewrap(let wrapper, _, let filters) = sandbox else {
      let (tools, temporary) = (context.scratch + "/tools", context.scratch + "/tmp")
      try makeToolFolder(tools, context)
      try Files.makeFolder(temporary)
      environment["PATH"] = environment["PATH"] ?? tools
      environment["TMPDIR"] = environment["TMPDIR"] ?? temporary
      let executable = found ?? "\(folder.path)/\(program)"
      return ChildProcess(
        executable: executable, arguments: command.words, environment: environment, folder: folder.path)
    }
    environment["PATH"] = environment["PATH"] ?? Confinement.toolFolder
    var confinement = Confinement(
      programs: context.details.tools.values.map(\.path).sortedByBytes(),
      hidden: command.hidden + [context.details.storePath], variables: environment, filters: filters)
    confinement.show(folder.path, at: Confinement.workingFolder, writable: true)
    for binding in folder.bindings {
      confinement.show(binding.source, at: "\(Confinement.workingFolder)/\(binding.place)")
    }
    let paths = context.details.tools.map { (RelativePath.name($0.key), $0.value.path) }
    confinement.showLinks(Dictionary(uniqueKeysWithValues: paths), at: Confinement.toolFolder)
    // By its path, so that a program which looks for files beside itself finds them.
    return try confinement.process(
      wrapper: wrapper, program: found ?? program, words: command.words, folder: Confinement.workingFolder)
  }

  /// - Parameter begin: where what the program printed begins in the log.
  private func failure(
    _ ending: ChildProcess.Ending, log: String, from begin: Int, _ context: StageContext
  ) -> PipelineError {
    var message =
      "the command of '\(context.details.stageName)' \(Self.text(ending))"
    let printed = ((try? Files.status(log).size) ?? begin) - begin
    let lines = TextLines.split((try? Files.tail(of: log, bytes: max(0, min(4096, printed)))) ?? []).suffix(6)
      .map { String(decoding: $0, as: UTF8.self) }
      .filter { !$0.isEmpty }
    if !lines.isEmpty {
      message += ":\n" + lines.map { "    \(Printable.line($0.prefix(300)))" }.joined(separator: "\n")
    }
    if !RelativePath.contains(context.scratch, log) { message += "\n    (all of it in \(log))" }
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
