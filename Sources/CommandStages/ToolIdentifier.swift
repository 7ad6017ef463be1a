import Determinism
import Foundation
import PipelineModel
import Synchronization

/// Identifies the programs of commands, each of them once.
final class ToolIdentifier: Sendable {
  private struct State {
    var paths: [String: String] = [:]
    var digests: [String: (stamp: Files.Status, digest: Digest)] = [:]
    var versions: [[String]: String] = [:]
    var known: FileDigestCache?
  }

  private let finder: ToolFinder
  private let state = Mutex(State())

  init(searchPath: String?) { finder = ToolFinder(searchPath: searchPath ?? ToolFinder.standardPath) }

  /// - Throws: code `missingTool` that names the stage and the program.
  func identity(
    of command: Command, on host: StageHost, stage: String, environment description: EnvironmentDescription?
  ) throws -> ToolIdentity {
    var identity = ToolIdentity()
    let environment = try description.map {
      try host.helper { EnvironmentResolver(host) }.resolve($0, stage: stage, checkout: command.hidden)
    }
    identity.environment = environment
    if let environment { identity.traits[EnvironmentStore.trait] = environment.digest.hex }
    if environment?.description.origin.hasLock == true { identity.notices += LockFile.notices(environment!, host) }
    for tool in command.tools where environment?.program(tool) == nil {
      // An image brings all programs that there are.
      if environment?.root != nil { continue }
      guard var path = path(of: tool) else {
        throw PipelineError(
          .missingTool,
          "stage '\(stage)': no program '\(tool)'"
            + (tool.utf8.first == UInt8(ascii: "/") ? "" : " in \(places(environment))"))
      }
      if let interpreter = PyenvShim.program(behind: path) {
        let system = ToolFinder(searchPath: ToolFinder.standardPath).find(tool)
        if tool.utf8.first != UInt8(ascii: "/"), let system {
          identity.notices.append(
            "'\(tool)' is a shim of pyenv for \(interpreter), and no environment is declared: \(system) is used instead. Make "
              + "one with '\(tool) -m venv .venv', and declare it: 'environments: { python: { venv: .venv } }'")
          path = system
        } else {
          path = interpreter
        }
      }
      try UndeclaredInstallation.refuse(path, tool, stage: stage, environment: environment)
      identity.paths[tool] = Tool(path: path)
      if command.version == nil {
        let (stamp, digest) = try digest(of: path, host)
        identity.paths[tool]!.stamp = stamp
        identity.traits["tool \(RelativePath.name(tool))"] = digest.hex
      }
    }
    identity.notices += command.undeclaredPrograms.map {
      "stage '\(stage)': its script names \($0), which is not among its 'tools': what that program is, is in no key"
    }
    if let words = command.version {
      identity.traits["tool version"] = try version(words, identity, hidden: command.hidden, host, stage: stage)
    }
    return identity
  }

  private func places(_ environment: ResolvedEnvironment?) -> String {
    ((environment?.programFolders ?? []) + [finder.searchPath]).joined(separator: ":")
  }

  private func path(of tool: String) -> String? {
    state.withLock { state in
      if let path = state.paths[tool] { return path }
      let path = finder.find(tool)
      state.paths[tool] = path
      return path
    }
  }

  private func digest(of path: String, _ host: StageHost) throws -> (stamp: Files.Status, digest: Digest) {
    try state.withLock { state in
      if let known = state.digests[path] { return known }
      let cache =
        try state.known ?? FileDigestCache(store: host.store, isObserved: host.isObserved, root: "tools")
      state.known = cache
      let status = try Files.status(path)
      if let digest = cache.digest(of: path, status) {
        state.digests[path] = (status, digest)
        return (status, digest)
      }
      let now = Int(saturating: Date().timeIntervalSince1970 * 1e9)
      let digest = try Files.sha256(path)
      guard try Files.status(path) == status else {
        throw PipelineError(.io, "\(path): changed while it was read; run again")
      }
      try cache.remember([(path, status, digest)], at: now)
      state.digests[path] = (status, digest)
      return (status, digest)
    }
  }

  /// What a version command prints, on either stream.
  ///
  /// It is a program that a pipeline file or a record names, and is run before anybody asked for its stage. So it is
  /// confined as the stage would be, with no input.
  private func version(
    _ words: [String], _ identity: ToolIdentity, hidden: [String], _ host: StageHost, stage: String
  ) throws -> String {
    let environment = identity.environment
    let tools = identity.paths.values.map(\.path).sortedByBytes()
    let question = words + [environment?.digest.hex ?? ""]
    if let known = state.withLock({ $0.versions[question] }) { return known }
    let policy = host.policy
    func failure(_ why: String) -> PipelineError {
      PipelineError(.missingTool, "stage '\(stage)': the version command '\(words.joined(separator: " "))' \(why)")
    }
    let isOfImage = environment?.root != nil
    guard let program = isOfImage ? words[0] : environment?.program(words[0]) ?? finder.find(words[0]) else {
      throw failure("names no program in \(places(environment))")
    }
    let sandbox = try Sandbox.find(policy ?? .automatic)
    if case .none(let reason) = sandbox {
      if policy == nil {
        throw failure("would run without a sandbox, which only commands that execute stages do: \(reason)")
      }
      let hidden = hidden + hidden.compactMap { PathTrail($0)?.end } + [host.store]
      let end = PathTrail(program)?.end ?? program
      if hidden.contains(where: { RelativePath.contains($0, program) || RelativePath.contains($0, end) }) {
        throw failure("names a program of the checkout or the store, which is not run without a sandbox")
      }
    }
    let scratch = try host.makeScratch()
    defer { try? removeTree(scratch) }
    var variables = environment?.variables ?? [:]
    variables["PATH"] = places(environment)
    var process = ChildProcess(executable: program, arguments: words, environment: variables, folder: scratch)
    if case .bubblewrap(let wrapper, _, let filters) = sandbox {
      variables["PATH"] = (environment?.placesOfPrograms ?? []).joined(separator: ":") + ":" + finder.searchPath
      let isOfEnvironment = environment?.program(words[0]) != nil || isOfImage
      var confinement = Confinement(
        programs: isOfEnvironment ? tools : tools + [program], hidden: hidden + [host.store], variables: variables,
        filters: filters, root: environment?.root)
      if let environment { confinement.show(environment) }
      process = try confinement.process(
        wrapper: wrapper, program: environment?.place(of: program) ?? program, words: words, folder: "/tmp")
    }
    let (ending, bytes) = try process.capture(bytes: 1 << 16, limit: 10, interruption: Interruption())
    let text = ToolIdentifier.text(bytes)
    guard ending == .exited(0) else { throw failure("\(ending): \(Printable.line(String(text.prefix(200))))") }
    guard !text.isEmpty else { throw failure("prints nothing") }
    state.withLock { $0.versions[question] = text }
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

extension Command: ToolRequirement {
  func identity(on host: StageHost, stage: String, environment: EnvironmentDescription?) throws -> ToolIdentity {
    try host.helper { ToolIdentifier(searchPath: host.searchPath) }
      .identity(of: self, on: host, stage: stage, environment: environment)
  }

  func enter(_ context: StageContext, words: [String]) throws -> Int32 {
    try CommandStage(command: self).enter(context, words: words)
  }

  func notice(under policy: SandboxPolicy) throws -> String? { try Sandbox.notice(policy) }

  func isConfined(under policy: SandboxPolicy) throws -> Bool { try Sandbox.find(policy).isSandbox }
}
