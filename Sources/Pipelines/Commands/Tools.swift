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
    if name.utf8.first == UInt8(ascii: "/") { return isExecutable(name) ? name : nil }
    guard !name.utf8.contains(UInt8(ascii: "/")) else { return nil }
    for folder in searchPath.splitBytes(at: UInt8(ascii: ":")) where folder.utf8.first == UInt8(ascii: "/") {
      let path = "\(folder)/\(name)"
      if isExecutable(path) { return path }
    }
    return nil
  }

  private func isExecutable(_ path: String) -> Bool {
    // What these show depends on who looks.
    guard !["/proc", "/sys"].contains(where: { RelativePath.contains($0, Trail(path)?.end ?? path) }) else {
      return false
    }
    return access(path, X_OK) == 0 && (try? Files.optionalStatus(path))?.isRegular == true
  }
}

/// A program on this machine.
struct Tool: Sendable {
  let path: String
  /// What `stat` said of the file whose digest is in the key; nil where something else is.
  var stamp: Files.Status?

  /// - Throws: where the file is not the one whose digest was taken.
  func requireUnchanged(stage: String) throws {
    guard let stamp, try Files.optionalStatus(path) != stamp else { return }
    throw PipelineError(
      .commandFailed,
      "'\(stage)': the program \(path) changed after its digest was taken for the key; nothing was stored. Run again")
  }
}

/// What a command needs of the machine, and what of it is in the key.
struct ToolIdentity: Sendable {
  /// In the key: `tool awk` with the digest of its file, or `tool version` with what the version command says.
  var traits: [String: String] = [:]
  /// By name.
  var paths: [String: Tool] = [:]
}

/// Identifies the programs of commands, each of them once.
final class ToolIdentifier: Sendable {
  private struct State {
    var paths: [String: String] = [:]
    var digests: [String: (stamp: Files.Status, digest: Digest)] = [:]
    var versions: [[String]: String] = [:]
    var memory: SourceMemory?
    var policy: SandboxPolicy?
  }

  private let finder: ToolFinder
  private let store: Store
  private let state = Mutex(State())

  /// - Parameters:
  ///   - searchPath: nil for the usual one.
  ///   - policy: of who is going to execute commands; nil for who only looks, and executes nothing without a sandbox.
  init(searchPath: String?, store: Store, policy: SandboxPolicy? = nil) {
    finder = ToolFinder(searchPath: searchPath ?? ToolFinder.standardPath)
    self.store = store
    allow(policy)
  }

  /// Says that commands are going to be executed, and how.
  func allow(_ policy: SandboxPolicy?) { state.withLock { $0.policy = policy } }

  /// - Throws: code `missingTool` that names the stage and the program.
  func identity(of command: Command, stage: String) throws -> ToolIdentity {
    var identity = ToolIdentity()
    for tool in command.tools {
      guard let path = path(of: tool) else {
        throw PipelineError(
          .missingTool,
          "stage '\(stage)': no program '\(tool)'"
            + (tool.utf8.first == UInt8(ascii: "/") ? "" : " in \(finder.searchPath)"))
      }
      identity.paths[tool] = Tool(path: path)
      if command.version == nil {
        let (stamp, digest) = try digest(of: path)
        identity.paths[tool]!.stamp = stamp
        identity.traits["tool \(RelativePath.name(tool))"] = digest.hex
      }
    }
    if let words = command.version {
      identity.traits["tool version"] = try version(
        words, of: identity.paths.values.map(\.path).sortedByBytes(), hidden: command.hidden, stage: stage)
    }
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

  private func digest(of path: String) throws -> (stamp: Files.Status, digest: Digest) {
    try state.withLock { state in
      if let known = state.digests[path] { return known }
      let memory = try state.memory ?? SourceMemory(store: store, root: "tools")
      state.memory = memory
      let status = try Files.status(path)
      if let digest = memory.digest(of: path, status) {
        state.digests[path] = (status, digest)
        return (status, digest)
      }
      let now = Int(saturating: Date().timeIntervalSince1970 * 1e9)
      let digest = try Files.sha256(path)
      guard try Files.status(path) == status else {
        throw PipelineError(.io, "\(path): changed while it was read; run again")
      }
      try memory.remember([(path, status, digest)], at: now)
      state.digests[path] = (status, digest)
      return (status, digest)
    }
  }

  /// What a version command prints, on either stream.
  ///
  /// It is a program that a pipeline file or a record names, and is run before anybody asked for its stage. So it is
  /// confined as the stage would be, with no input.
  private func version(_ words: [String], of tools: [String], hidden: [String], stage: String) throws -> String {
    let (known, policy) = state.withLock { ($0.versions[words], $0.policy) }
    if let known { return known }
    func failure(_ why: String) -> PipelineError {
      PipelineError(.missingTool, "stage '\(stage)': the version command '\(words.joined(separator: " "))' \(why)")
    }
    guard let program = finder.find(words[0]) else { throw failure("names no program in \(finder.searchPath)") }
    let sandbox = try Sandbox.find(policy ?? .automatic)
    if case .none(let reason) = sandbox {
      if policy == nil {
        throw failure("would run without a sandbox, which only commands that execute stages do: \(reason)")
      }
      let hidden = hidden + hidden.compactMap { Trail($0)?.end } + [store.path]
      let end = Trail(program)?.end ?? program
      if hidden.contains(where: { RelativePath.contains($0, program) || RelativePath.contains($0, end) }) {
        throw failure("names a program of the checkout or the store, which is not run without a sandbox")
      }
    }
    let scratch = try store.makeScratch()
    defer { try? removeTree(scratch) }
    let environment = ["PATH": finder.searchPath]
    var process = ChildProcess(executable: program, arguments: words, environment: environment, folder: scratch)
    if case .bubblewrap(let wrapper, _, let filters) = sandbox {
      let confinement = Confinement(
        programs: tools + [program], hidden: hidden + [store.path], variables: environment, filters: filters)
      process = try confinement.process(wrapper: wrapper, program: program, words: words, folder: "/tmp")
    }
    let (ending, bytes) = try process.capture(bytes: 1 << 16, limit: 10, interruption: Interruption())
    let text = ToolIdentifier.text(bytes)
    guard ending == .exited(0) else { throw failure("\(ending): \(Printable.line(String(text.prefix(200))))") }
    guard !text.isEmpty else { throw failure("prints nothing") }
    state.withLock { $0.versions[words] = text }
    return text
  }

  /// The beginning of what was printed; of more, the digest of all stands for the rest.
  private static func text(_ bytes: [UInt8]) -> String {
    let head = bytes.prefix(4096)
    let text = String(validating: head, as: UTF8.self) ?? String(decoding: head, as: UTF8.self)
    let plain = text.trimmingCharacters(in: .whitespacesAndNewlines)
    let isWhole = bytes.count == head.count && String(validating: head, as: UTF8.self) != nil
    return isWhole ? plain : "\(plain) (all of it: \(Digest(of: bytes).hex))"
  }
}

/// What programs print, for a terminal.
enum Printable {
  /// A line without control characters, which could steer the user's terminal.
  static func line(_ text: some StringProtocol) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      if scalar == "\t" {
        out += " "
      } else if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
        out += escape(UInt8(scalar.value))
      } else {
        out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  /// `\xNN`
  static func escape(_ byte: UInt8) -> String { "\\x" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16) }
}
