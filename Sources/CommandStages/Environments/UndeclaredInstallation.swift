import Determinism
import PipelineModel

/// A program outside of the system's folders that is part of something larger, such as an environment of Python: its own
/// file says little of what it does, so the whole must be declared.
enum UndeclaredInstallation {
  /// - Parameters:
  ///   - tool: what the pipeline file calls the program.
  ///   - environment: the one that is declared.
  /// - Throws: code `missingTool` that says what to write.
  static func refuse(
    _ path: String, _ tool: String, stage: String, environment: ResolvedEnvironment?
  ) throws {
    let declared = environment?.mounts.map(\.source) ?? []
    let parts = ["bin", "sbin", "lib", "lib32", "lib64", "libexec"]
    let undeclared = Installation(of: [path], hidden: []).folders.map { folder in
      parts.contains(RelativePath.name(folder)) ? RelativePath.parent(folder) ?? folder : folder
    }.filter { folder in !declared.contains { RelativePath.contains($0, folder) } }
    // An environment of Python is made of links into an installation of it.
    guard let folder = undeclared.first(where: { Files.exists("\($0)/pyvenv.cfg") }) ?? undeclared.first else { return }
    let isPython = Files.exists("\(folder)/pyvenv.cfg")
    let kind = isPython ? "venv" : Files.exists("\(folder)/conda-meta") ? "conda-prefix" : "folder"
    let entry =
      switch kind {
      case "venv": "{ venv: \(folder) }"
      case "conda-prefix": "{ conda: environment.lock, prefix: \(folder) }"
      default: "{ folder: \(folder) }"
      }
    let name = isPython ? "python" : "tools"
    throw PipelineError(
      .missingTool,
      "stage '\(stage)': the program '\(tool)' is \(path), part of \(folder), and no declared environment holds it: what "
        + "else is there would be in no key. Declare it with 'environments: { \(name): \(entry) }', give the stage "
        + "'environment: \(name)'\(tool.utf8.first == UInt8(ascii: "/") ? ", and call the program by its name" : "")")
  }
}
