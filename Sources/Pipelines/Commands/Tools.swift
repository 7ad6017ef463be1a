import Determinism
import Foundation
import Synchronization

/// Looks for programs as a shell does.
struct ToolFinder: Sendable {
  /// Folders with colons between them.
  let searchPath: String

  static let standardPath = "/usr/local/bin:/usr/bin:/bin"

  /// The absolute path of an executable file; nil where there is none.
  func find(_ name: String) -> String? {
    if name.hasPrefix("/") { return isExecutable(name) ? name : nil }
    for folder in searchPath.split(separator: ":") where folder.hasPrefix("/") {
      let path = "\(folder)/\(name)"
      if isExecutable(path) { return path }
    }
    return nil
  }

  private func isExecutable(_ path: String) -> Bool {
    access(path, X_OK) == 0 && (try? Files.optionalStatus(path))?.isRegular == true
  }
}

/// What a command needs of the machine, and what of it is in the key.
struct ToolIdentity: Sendable {
  /// In the key: `tool awk` with the digest of its file, or `tool version` with what the version command says.
  var traits: [String: String] = [:]
  /// Absolute paths by name.
  var paths: [String: String] = [:]
}

/// Identifies the programs of commands, each of them once.
final class ToolIdentifier: Sendable {
  private struct State {
    var paths: [String: String] = [:]
    var digests: [String: Digest] = [:]
    var versions: [[String]: String] = [:]
    var memory: SourceMemory?
  }

  private let finder: ToolFinder
  private let store: Store
  private let state = Mutex(State())

  /// - Parameter searchPath: nil for the usual one.
  init(searchPath: String?, store: Store) {
    finder = ToolFinder(searchPath: searchPath ?? ToolFinder.standardPath)
    self.store = store
  }

  /// - Throws: code `missingTool` that names the stage and the program.
  func identity(of command: Command, stage: String) throws -> ToolIdentity {
    var identity = ToolIdentity()
    for tool in command.tools {
      guard let path = path(of: tool) else {
        throw PipelineError(
          .missingTool,
          "stage '\(stage)': no program '\(tool)'\(tool.hasPrefix("/") ? "" : " in \(finder.searchPath)")")
      }
      identity.paths[tool] = path
      if command.version == nil {
        identity.traits["tool \(ToolIdentifier.baseName(tool))"] = try digest(of: path).hex
      }
    }
    if let words = command.version { identity.traits["tool version"] = try version(words, stage: stage) }
    return identity
  }

  private func path(of tool: String) -> String? {
    state.withLock { state in
      if let path = state.paths[tool] { return path }
      let path = finder.find(tool)
      state.paths[tool] = path
      return path
    }
  }

  /// The last part of a path: where a program lies is not in the key.
  static func baseName(_ path: String) -> String {
    String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...])
  }

  private func digest(of path: String) throws -> Digest {
    try state.withLock { state in
      if let digest = state.digests[path] { return digest }
      let memory = try state.memory ?? SourceMemory(store: store, root: "tools")
      state.memory = memory
      let status = try Files.status(path)
      if let digest = memory.digest(of: path, status) {
        state.digests[path] = digest
        return digest
      }
      let now = Int(Date().timeIntervalSince1970 * 1e9)
      let digest = try Files.sha256(path)
      try memory.remember([(path, status, digest)], at: now)
      state.digests[path] = digest
      return digest
    }
  }

  /// What a version command prints, on either stream.
  private func version(_ words: [String], stage: String) throws -> String {
    if let text = state.withLock({ $0.versions[words] }) { return text }
    func failure(_ why: String) -> PipelineError {
      PipelineError(.missingTool, "stage '\(stage)': the version command '\(words.joined(separator: " "))' \(why)")
    }
    guard let program = finder.find(words[0]) else { throw failure("names no program in \(finder.searchPath)") }
    let scratch = try store.makeScratch()
    defer { try? Files.remove(scratch) }
    let process = ChildProcess(
      executable: program, arguments: words, environment: ["PATH": finder.searchPath], folder: scratch)
    let ending = try process.run(
      output: scratch + "/out", errors: scratch + "/out", limit: 10, interruption: Interruption())
    let bytes = try Files.read(scratch + "/out")
    let text = String(decoding: bytes.prefix(4096), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    guard ending == .exited(0) else { throw failure("\(ending): \(text.prefix(200))") }
    guard !text.isEmpty else { throw failure("prints nothing") }
    state.withLock { $0.versions[words] = text }
    return text
  }
}
