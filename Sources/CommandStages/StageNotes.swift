import Determinism
import PipelineModel

/// Files beside the working folder that tell a program about its stage: its parameters, and what the artifacts of its
/// lists are. They are in the key, and neither inputs nor outputs.
struct StageNotes {
  struct Note {
    let variable: String
    let path: String
    /// The same for every stage, so that a program that prints it prints the same everywhere.
    let placeInSandbox: String
  }

  private(set) var files: [Note] = []

  init(of command: Command, _ context: StageContext) throws {
    if let parameters = command.parameters {
      try add(ParameterVariables.file, "parameters.json", .object(parameters.values), context)
    }
    let lists = context.kind.inputs.filter { !$0.elements.isEmpty }
    if !lists.isEmpty {
      guard command.environment[ParameterVariables.inputs] == nil else {
        throw PipelineError(
          .badValue,
          "'\(context.details.stageName)': the variable \(ParameterVariables.inputs) names the file that says what the "
            + "artifacts of its lists are; give the one under 'environment' another name")
      }
      let index = lists.map { ($0.name, StageNotes.index(of: $0, command, context)) }
      try add(
        ParameterVariables.inputs, "inputs.json",
        .object(Dictionary(index, uniquingKeysWith: { a, _ in a })), context)
    }
  }

  private mutating func add(
    _ variable: String, _ name: String, _ value: CanonicalValue, _ context: StageContext
  ) throws {
    let path = "\(context.scratch)/\(name)"
    try Files.write(Array(value.prettyText.utf8), to: path)
    files.append(Note(variable: variable, path: path, placeInSandbox: "/tmp/\(name)"))
  }

  /// `[{ "path": "model/0.file", "parameters": { "seed": 0 } }, ...]`, in the order of the artifacts.
  private static func index(of port: InputPort, _ command: Command, _ context: StageContext) -> CanonicalValue {
    let artifacts = context.inputArtifacts[port.name] ?? []
    let names = WorkingFolder.listNames(of: artifacts, extensions: context.details.fileExtensions)
    let place = command.places[port.name] ?? port.name
    return .array(
      zip(names, port.elements).map { name, element in ["path": .string("\(place)/\(name)"), "parameters": element] })
  }

  func variables(isConfined: Bool) -> [String: String] {
    Dictionary(
      files.map { ($0.variable, isConfined ? $0.placeInSandbox : $0.path) }, uniquingKeysWith: { a, _ in a })
  }
}
