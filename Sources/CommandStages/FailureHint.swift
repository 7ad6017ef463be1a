import Determinism
import PipelineModel

/// Finds out from what a program printed last which declaration it lacks.
///
/// The texts are those of Python, the shell and the C library. Where none is recognised nothing is said.
enum FailureHint {
  /// - Parameter lines: what was printed last.
  static func find(
    in lines: [String], _ ending: ChildProcess.Ending, _ command: Command, _ details: StageContext.Details
  ) -> String? {
    for line in lines.reversed() {
      if let hint = module(line, command, details) ?? program(line) ?? network(line, details) ?? file(line) {
        return hint
      }
      if let hint = graphics(line, details) ?? interpreter(line) ?? start(line) { return hint }
    }
    switch ending {
    case .killed(signal: 9), .exited(137):
      return "Was there too little memory? 'resources: { memory: 16G }' keeps others from running beside it"
    default: return nil
    }
  }

  private static func contains(_ line: String, _ texts: [String]) -> Bool { texts.contains { line.contains($0) } }

  /// The text between two quotes behind a marker.
  private static func quoted(_ line: String, after marker: String, quote: Character = "'") -> String? {
    guard let range = line.firstRange(of: marker) else { return nil }
    let rest = line[range.upperBound...].drop { $0 != quote }.dropFirst()
    guard let end = rest.firstIndex(of: quote), end > rest.startIndex else { return nil }
    return Printable.line(rest[..<end])
  }

  private static func module(_ line: String, _ command: Command, _ details: StageContext.Details) -> String? {
    if contains(line, ["attempted relative import"]) {
      return
        "A file alone is no package: take its folder as an input ('needs: { src: \"file:src/\" }') and start it as a module "
        + "('run: [python, -m, src.NAME]')"
    }
    guard let name = quoted(line, after: "No module named ") else { return nil }
    let top = String(name.prefix { $0 != "." })
    let local = command.hidden.lazy.compactMap { folder -> String? in
      if Files.exists("\(folder)/\(top).py") { return "\(top).py" }
      return Files.exists("\(folder)/\(top)/__init__.py") ? "\(top)/" : nil
    }.first
    if let local {
      return
        "\(local) is in your project, but the stage does not declare it: add 'needs: { \(top): \"file:\(local)\" }'"
    }
    guard let environment = details.tools.environment else {
      return
        "The system's Python has no '\(top)', and no environment is declared: write 'environments: { python: { venv: .venv } }' "
        + "and 'environment: python'"
    }
    return "The environment '\(environment.description.name)' has no package that provides '\(top)': install it there"
  }

  private static func program(_ line: String) -> String? {
    // `sh: 1: jq: not found`, `line 3: jq: command not found`
    guard line.hasSuffix(": not found") || line.hasSuffix(": command not found") else { return nil }
    let parts = line.split(separator: ":").map { $0.drop { $0 == " " } }
    guard let i = parts.lastIndex(where: { $0.hasSuffix("not found") }), i > 0 else { return nil }
    let name = Printable.line(parts[i - 1])
    return "The stage does not declare the program '\(name)': add it to its 'tools: [\(name)]'"
  }

  /// What bubblewrap and Python say of a file that they can't start.
  private static func start(_ line: String) -> String? {
    if line.contains("bwrap: execvp "), line.contains("No such file or directory") {
      return
        "The first line of this script names an interpreter that is not there: an environment that was moved or copied "
        + "must be made again"
    }
    guard let path = quoted(line, after: "can't open file ") else { return nil }
    let place =
      path.hasPrefix(Confinement.workingFolder + "/")
      ? String(path.dropFirst(Confinement.workingFolder.count + 1)) : RelativePath.name(path)
    return "'\(place)' is not in the working folder, which holds what the stage declares: add "
      + "'needs: { \(word(place)): \"file:\(place)\" }'"
  }

  private static func network(_ line: String, _ details: StageContext.Details) -> String? {
    let texts = [
      "Temporary failure in name resolution", "Name or service not known", "Network is unreachable",
      "Could not resolve host", "NewConnectionError", "getaddrinfo failed", "Failed to resolve",
      "nodename nor servname",
      "unable to resolve host address",
    ]
    guard !details.rules.network, contains(line, texts) else { return nil }
    return
      "Commands have no network. Give the data as an input; or write 'resources: { network: true }', and know that "
      + "what it fetches is in no key"
  }

  private static func file(_ line: String) -> String? {
    let isWriting = contains(line, ["Read-only file system", "Errno 30"])
    let isMissing = contains(line, ["No such file or directory", "FileNotFoundError", "Errno 2]"])
    let isDenied = contains(line, ["Permission denied", "PermissionError", "Errno 13"])
    guard isWriting || isMissing || isDenied else { return nil }
    let path =
      quoted(line, after: "directory:") ?? quoted(line, after: "system:") ?? quoted(line, after: "denied:")
      ?? quoted(line, after: "]") ?? ""
    if isWriting || isDenied {
      let what = path.isEmpty ? "A file there" : "'\(path)'"
      return
        "\(what) can't be written: inputs are read-only, and a command writes to its working folder and to /tmp. Write "
        + "there, and declare results under 'outputs'"
    }
    guard path.hasPrefix("/") || path.hasPrefix("~") else {
      return path.isEmpty
        ? nil
        : "'\(path)' is not in the working folder, which holds what the stage declares: add "
          + "'needs: { \(word(path)): \"file:\(path)\" }', or read an input by its name"
    }
    return "'\(path)' can't be seen: a command sees its inputs and no home. Declare the file ('needs: { \(word(path)): "
      + "\"file:NAME\" }') or the folder (a stage with 'uses: folder'), and read it by the input's name"
  }

  private static func word(_ path: String) -> String {
    let name = RelativePath.name(path).prefix { $0 != "." }.filter {
      $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")
    }
    return name.isEmpty ? "data" : String(name)
  }

  private static func graphics(_ line: String, _ details: StageContext.Details) -> String? {
    let texts = [
      "No CUDA GPUs are available", "CUDA driver", "no NVIDIA driver", "CUDA_ERROR", "HIP error", "/dev/nvidia",
    ]
    guard !details.usesGraphicsProcessors, contains(line, texts) else { return nil }
    return "Graphics processors are hidden unless the stage asks for them: 'resources: { gpus: 1 }'"
  }

  private static func interpreter(_ line: String) -> String? {
    guard line.contains("\r") || line.contains("\\r") || line.contains("^M") else { return nil }
    return "Does a script have the line ends of Windows (CR LF)? Save it with those of Unix"
  }
}
