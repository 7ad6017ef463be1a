import Determinism
import PipelineModel

/// A checked command.
struct Command: Sendable {
  struct Output: Sendable {
    let name: String
    let path: String
    let kind: String
  }

  /// The program first: a name, an absolute path, or `./` and a place in the working folder.
  let words: [String]
  let outputs: [Output]
  let environment: [String: String]
  /// Nil where there are none.
  private(set) var parameters: FreeParameters?
  /// One for each free parameter that is a text, a number, true or false.
  private(set) var parameterVariables: [String: String]
  /// By input.
  let places: [String: String]
  let stdin: String?
  let stdout: String?
  /// Names and absolute paths of all programs, without those in the working folder.
  let tools: [String]
  let version: [String]?
  let isRandom: Bool
  /// Folders that nothing undeclared may be read from: the checkout of the pipeline file.
  let hidden: [String]

  /// - Parameters:
  ///   - inputs: names of the inputs.
  ///   - hidden: folders that nothing undeclared may be read from.
  ///   - kinds: names of the artifact formats there are.
  /// - Throws: `ParameterError`.
  init(_ parameters: CommandParameters, inputs: [String], hidden: [String], kinds: Set<String>) throws {
    self.hidden = hidden
    words = try Command.words(parameters.run)
    environment = try Command.environment(parameters.environment)
    self.parameters = parameters.parameters
    parameterVariables = try ParameterVariables.all(of: parameters.parameters, beside: environment)
    var places = Dictionary(uniqueKeysWithValues: inputs.map { ($0, $0) })
    for (name, path) in parameters.places.sorted(by: { $0.key < $1.key }) {
      guard places[name] != nil else {
        throw ParameterError("places", "no input '\(name)'\(Suggestion.text(for: name, among: inputs))")
      }
      places[name] = path
    }
    self.places = places
    outputs = try Command.outputs(parameters, kinds: kinds)
    stdout = parameters.stdout
    stdin = parameters.stdin
    if let stdin, places[stdin] == nil {
      throw ParameterError("stdin", "no input '\(stdin)'\(Suggestion.text(for: stdin, among: inputs))")
    }
    version = parameters.version
    if let version {
      guard let program = version.first, !program.isEmpty, Command.isProgram(program),
        version.allSatisfy({ !$0.utf8.contains(0) })
      else {
        throw ParameterError("version", "expected a program, a name or an absolute path, and its arguments")
      }
    }
    isRandom = parameters.random
    tools = try Command.tools(words, parameters.tools)
    try refuseBadPaths()
  }

  private static func words(_ run: CanonicalValue) throws -> [String] {
    let words: [String]
    switch run {
    case .string(let script): words = ["sh", "-eu", "-c", script]
    case .array(let values):
      words = try values.map { value in
        guard let word = plainText(value) else {
          throw ParameterError("run", "expected words: texts, numbers, true or false")
        }
        return word
      }
    default: throw ParameterError("run", "expected a list of words, the program first, or a text for the shell")
    }
    guard let program = words.first, !program.isEmpty else { throw ParameterError("run", "names no program") }
    guard words.allSatisfy({ !$0.utf8.contains(0) }) else { throw ParameterError("run", "a word holds a zero byte") }
    return words
  }

  private static func plainText(_ value: CanonicalValue) -> String? {
    switch value {
    case .string(let text): text
    case .bool, .integer, .number: value.canonicalText
    default: nil
    }
  }

  private static func environment(_ variables: [String: CanonicalValue]) throws -> [String: String] {
    var out = [String: String]()
    for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
      guard let text = plainText(value), !text.utf8.contains(0) else {
        throw ParameterError("environment", "'\(name)': expected text, a number, true or false")
      }
      guard !name.isEmpty, !name.contains("="), !name.utf8.contains(0), name != "SEED", name != "THREADS" else {
        throw ParameterError("environment", "'\(name)' can't be set here")
      }
      out[name] = text
    }
    return out
  }

  /// The file with the history that it writes line by line.
  var curve: String? {
    outputs.first { $0.kind == HistoryFormat.name && !$0.path.hasEnding(".json") }?.path
  }

  /// The declared outputs, then `metrics` and `history`.
  private static func outputs(_ parameters: CommandParameters, kinds: Set<String>) throws -> [Output] {
    let declared = try parameters.outputs.sorted { $0.key < $1.key }.map { name, value in
      try output(name, value, kinds: kinds)
    }
    let measured = [(MetricsFormat.name, parameters.metrics), (HistoryFormat.name, parameters.history)]
      .compactMap { name, path in path.map { Output(name: name, path: $0, kind: name) } }
    for output in measured where parameters.outputs[output.name] != nil {
      throw ParameterError(output.name, "'outputs' names an output '\(output.name)' as well; rename that one")
    }
    return declared + measured
  }

  private static func output(_ name: String, _ value: CanonicalValue, kinds: Set<String>) throws -> Output {
    guard EntryName.isValid(name) else { throw ParameterError("outputs", "'\(name)' can't be the name of an output") }
    if let path = value.stringValue {
      if let folder = withoutSlash(path) { return Output(name: name, path: folder, kind: TreeFormat.name) }
      return Output(name: name, path: path, kind: path.hasSuffix(".json") ? JSONFormat.name : FileFormat.name)
    }
    guard let members = value.objectValue, let path = members["path"]?.stringValue,
      let kind = members["kind"]?.stringValue, members.count == 2
    else {
      throw ParameterError("outputs", "'\(name)': expected a path, 'folder/', or { path: ..., kind: ... }")
    }
    guard kinds.contains(kind) else {
      let hint = Suggestion.text(for: kind, among: Array(kinds))
      throw ParameterError("outputs", "'\(name)': unknown kind of artifact '\(kind)'\(hint)")
    }
    return Output(name: name, path: withoutSlash(path) ?? path, kind: kind)
  }

  /// A path without the slash at its end; nil where it has none.
  private static func withoutSlash(_ path: String) -> String? {
    path.utf8.last == UInt8(ascii: "/") ? String(decoding: path.utf8.dropLast(), as: UTF8.self) : nil
  }

  /// Whether a word can be looked for, or is absolute.
  private static func isProgram(_ word: String) -> Bool {
    word.utf8.first == UInt8(ascii: "/") || !word.utf8.contains(UInt8(ascii: "/"))
  }

  /// Whether the program is a file in the working folder.
  var isInFolder: Bool { words[0].startsWithBytes(of: "./") }

  /// The same command with other free parameters.
  /// - Throws: `ParameterError`.
  func with(_ parameters: FreeParameters) throws -> Command {
    var command = self
    command.parameters = parameters
    command.parameterVariables = try ParameterVariables.all(of: parameters, beside: environment)
    return command
  }

  func isSameRequirement(_ other: any ToolRequirement) -> Bool {
    guard let other = other as? Command else { return false }
    func names(_ words: [String]?) -> [ByteName]? { words?.map { ByteName($0) } }
    return names(tools) == names(other.tools) && names(version) == names(other.version)
  }

  private static func tools(_ words: [String], _ more: [String]) throws -> [String] {
    var tools = [String]()
    for (i, tool) in (words.prefix(1) + more).enumerated() {
      if i == 0, tool.startsWithBytes(of: "./") { continue }
      guard !tool.isEmpty, isProgram(tool), !tool.utf8.contains(0), !["", ".", ".."].contains(RelativePath.name(tool))
      else {
        throw ParameterError(
          i == 0 ? "run" : "tools",
          "'\(tool)': a program is a name, an absolute path, or './' and the place of an input")
      }
      if tools.contains(where: { $0.hasSameBytes(as: tool) }) { continue }
      if let other = tools.first(where: { RelativePath.name($0) == RelativePath.name(tool) }) {
        throw ParameterError("tools", "'\(tool)' and '\(other)' would be one name on the search path")
      }
      tools.append(tool)
    }
    return tools
  }

  /// Everything lies below the working folder, and nothing on top of something else.
  private func refuseBadPaths() throws {
    var taken = [(path: String, what: String)]()
    func take(_ path: String, _ parameter: String, _ what: String) throws {
      if let problem = RelativePath.problem(path) { throw ParameterError(parameter, "\(what): \(problem)") }
      for other in taken where RelativePath.contains(other.path, path) || RelativePath.contains(path, other.path) {
        throw ParameterError(
          parameter, "\(what) at '\(path)' and \(other.what) at '\(other.path)' overlap")
      }
      taken.append((path, what))
    }
    for (name, path) in places.sorted(by: { $0.key < $1.key }) { try take(path, "places", "input '\(name)'") }
    for output in outputs { try take(output.path, "outputs", "output '\(output.name)'") }
    if let stdout {
      if let problem = RelativePath.problem(stdout) { throw ParameterError("stdout", problem) }
      for (name, path) in places.sorted(by: { $0.key < $1.key }) {
        guard RelativePath.contains(path, stdout) || RelativePath.contains(stdout, path) else { continue }
        throw ParameterError("stdout", "'\(stdout)' is in the way of the input '\(name)' at '\(path)'")
      }
      for output in outputs where RelativePath.contains(stdout, output.path) {
        guard !output.path.hasSameBytes(as: stdout) || output.kind == TreeFormat.name else { continue }
        throw ParameterError(
          "stdout", "'\(stdout)' is a file, and the output '\(output.name)' at '\(output.path)' is below")
      }
    }
  }
}
