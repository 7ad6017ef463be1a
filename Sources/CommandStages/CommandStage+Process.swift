import Determinism
import PipelineModel

extension CommandStage {
  /// A folder that holds links to the declared programs and is all of the search path.
  private func makeToolFolder(_ path: String, _ context: StageContext) throws {
    try Files.makeFolder(path)
    for (name, tool) in context.details.tools.paths.sorted(by: { $0.key < $1.key }) {
      try Files.link(tool.path, at: "\(path)/\(RelativePath.name(name))")
    }
  }

  func process(_ folder: WorkingFolder, in sandbox: Sandbox, _ context: StageContext) throws -> ChildProcess {
    let tools = context.details.tools
    let place = tools.environment
    var environment = place?.variables ?? [:]
    environment.merge(command.environment) { _, own in own }
    environment.merge(command.parameterVariables) { own, _ in own }
    environment["THREADS"] = String(context.threads)
    if command.isRandom { environment["SEED"] = String(context.details.seed) }
    let program = command.words[0]
    let found = command.isInFolder ? nil : tools.paths[program]?.path ?? place?.program(program)
    let notes = try StageNotes(of: command, context)
    environment.merge(notes.variables(isConfined: sandbox.isSandbox)) { _, note in note }
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
      environment["CHECKPOINT_DIR"] =
        try checkpointFolder(context) ?? "\(folder.path)/\(WorkingFolder.checkpointFolder)"
      environment["TMPDIR"] = environment["TMPDIR"] ?? temporary
      let executable = found ?? "\(folder.path)/\(program)"
      return ChildProcess(
        executable: executable, arguments: command.words, environment: environment, folder: folder.path)
    }
    environment["CHECKPOINT_DIR"] = Confinement.checkpointFolder
    environment["PATH"] =
      environment["PATH"] ?? ([Confinement.toolFolder] + (place?.placesOfPrograms ?? [])).joined(separator: ":")
    var confinement = Confinement(
      programs: tools.paths.values.map(\.path).sortedByBytes(),
      hidden: command.hidden + [context.details.storePath], variables: environment, filters: filters,
      root: place?.root, network: context.details.rules.network)
    if let place { confinement.show(place) }
    if context.details.usesGraphicsProcessors { confinement.showGraphicsProcessors() }
    confinement.show(folder.path, at: Confinement.workingFolder, writable: true)
    if let kept = try checkpointFolder(context) {
      confinement.show(kept, at: Confinement.checkpointFolder, writable: true)
    }
    for binding in folder.bindings {
      confinement.show(binding.source, at: "\(Confinement.workingFolder)/\(binding.place)")
    }
    for note in notes.files { confinement.show(note.path, at: note.placeInSandbox) }
    let paths = tools.paths.map { (RelativePath.name($0.key), $0.value.path) }
    confinement.showLinks(Dictionary(uniqueKeysWithValues: paths), at: Confinement.toolFolder)
    // By its path, so that a program which looks for files beside itself finds them.
    return try confinement.process(
      wrapper: wrapper, program: found.map { place?.place(of: $0) ?? $0 } ?? program, words: command.words,
      folder: Confinement.workingFolder)
  }

  /// Where the command finds what it left when it was interrupted; nil where nothing is kept.
  private func checkpointFolder(_ context: StageContext) throws -> String? {
    guard let path = context.details.checkpointFolder else { return nil }
    try Files.makeFolder(path)
    return path
  }
}
