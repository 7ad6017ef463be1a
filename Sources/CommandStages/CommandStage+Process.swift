import Determinism
import Glibc
import PipelineModel

extension CommandStage {
  /// A folder that holds links to the declared programs and is all of the search path.
  private func makeToolFolder(_ path: String, _ context: StageContext) throws {
    guard try Files.makeFolder(path) else { return }
    for (name, tool) in context.details.tools.paths.sorted(by: { $0.key < $1.key }) {
      try Files.link(tool.path, at: "\(path)/\(RelativePath.name(name))")
    }
  }

  /// - Parameters:
  ///   - other: a program of the system to start instead of the stage's.
  ///   - keepsTerminal: whether it may have the terminal of this process.
  func process(
    _ folder: WorkingFolder, in sandbox: Sandbox, _ context: StageContext, other: [String]? = nil,
    keepsTerminal: Bool = false
  ) throws -> ChildProcess {
    let words = other ?? command.words
    let tools = context.details.tools
    let place = tools.environment
    var environment = place?.variables ?? [:]
    environment.merge(command.parameterVariables) { _, own in own }
    environment.merge(command.environment) { _, own in own }
    environment["THREADS"] = String(context.threads)
    if command.isRandom { environment["SEED"] = String(context.details.seed) }
    if keepsTerminal { environment["TERM"] = getenv("TERM").map { String(cString: $0) } ?? "dumb" }
    let program = words[0]
    let found = other != nil || command.isInFolder ? other?[0] : tools.paths[program]?.path ?? place?.program(program)
    let notes = try StageNotes(of: command, context)
    environment.merge(notes.variables(isConfined: sandbox.isSandbox)) { own, _ in own }
    guard case .bubblewrap(let wrapper, _, let filters) = sandbox else {
      if place?.root != nil {
        throw PipelineError(
          .commandFailed,
          "'\(context.details.stageName)': the image of environment '\(place!.description.name)' needs the sandbox")
      }
      let (links, temporary) = (context.scratch + "/tools", context.scratch + "/tmp")
      try makeToolFolder(links, context)
      try Files.makeFolder(temporary)
      environment["PATH"] = environment["PATH"] ?? ([links] + (place?.programFolders ?? [])).joined(separator: ":")
      if place?.mounts.isEmpty == false, environment["VIRTUAL_ENV"] != nil {
        environment["VIRTUAL_ENV"] = place!.mounts[0].source
      }
      environment["CHECKPOINT_DIR"] = try checkpointFolder(context)
      environment["TMPDIR"] = environment["TMPDIR"] ?? temporary
      let executable = found ?? "\(folder.path)/\(program)"
      return ChildProcess(
        executable: executable, arguments: words, environment: environment, folder: folder.path)
    }
    environment["CHECKPOINT_DIR"] = Confinement.checkpointFolder
    environment["PATH"] =
      environment["PATH"] ?? ([Confinement.toolFolder] + (place?.placesOfPrograms ?? [])).joined(separator: ":")
    // Who looks around wants to list files as well.
    if keepsTerminal { environment["PATH"]! += ":" + ToolFinder.standardPath }
    var confinement = Confinement(
      programs: tools.paths.values.map(\.path).sortedByBytes(),
      hidden: command.hidden + [context.details.storePath], variables: environment, filters: filters,
      root: place?.root, network: context.details.rules.network)
    if keepsTerminal, filters { confinement.keepTerminal() }
    if let place { confinement.show(place) }
    if context.details.usesGraphicsProcessors { confinement.showGraphicsProcessors() }
    confinement.show(folder.path, at: Confinement.workingFolder, writable: true)
    confinement.show(try checkpointFolder(context), at: Confinement.checkpointFolder, writable: true)
    for binding in folder.bindings {
      confinement.show(binding.source, at: "\(Confinement.workingFolder)/\(binding.place)")
    }
    for note in notes.files { confinement.show(note.path, at: note.placeInSandbox) }
    let paths = tools.paths.map { (RelativePath.name($0.key), $0.value.path) }
    confinement.showLinks(Dictionary(uniqueKeysWithValues: paths), at: Confinement.toolFolder)
    // By its path, so that a program which looks for files beside itself finds them.
    return try confinement.process(
      wrapper: wrapper, program: found.map { place?.place(of: $0) ?? $0 } ?? program, words: words,
      folder: Confinement.workingFolder)
  }

  /// Where the command may leave what it needs to go on after an interruption; of a stage that does not, an empty one.
  private func checkpointFolder(_ context: StageContext) throws -> String {
    let path = context.details.checkpointFolder ?? context.scratch + "/checkpoint"
    try Files.makeFolder(path)
    return path
  }
}
