import Foundation

/// Whether commands are kept from what they did not declare.
public enum SandboxPolicy: String, Sendable, CaseIterable {
  /// Where bubblewrap is there and works.
  case automatic
  /// Without it, nothing runs.
  case required
  case off
}

/// What keeps a command from reading undeclared files and from the network: bubblewrap, or nothing.
enum Sandbox: Sendable {
  case bubblewrap(program: String, version: String)
  case none(reason: String)

  /// For records.
  var name: String {
    switch self {
    case .bubblewrap(_, let version): version
    case .none: "none"
    }
  }

  /// Where the working folder and the programs are in the sandbox: at the same place everywhere.
  static let workingFolder = "/tmp/stage"
  static let toolFolder = "/tmp/tools"

  /// - Throws: where there must be a sandbox and is none.
  static func find(_ policy: SandboxPolicy) throws -> Sandbox {
    if policy == .off { return .none(reason: "the sandbox is off") }
    if case .none(let reason) = here, policy == .required {
      throw PipelineError(.missingTool, "commands must run in a sandbox, but \(reason)")
    }
    return here
  }

  /// Of this machine; looked at once.
  private static let here = probe()

  private static func probe() -> Sandbox {
    guard let program = ToolFinder(searchPath: ToolFinder.standardPath).find("bwrap") else {
      return .none(reason: "bubblewrap is not installed (Debian: apt-get install bubblewrap)")
    }
    let scratch = Files.absolute(NSTemporaryDirectory()) + "/bwrap-\(UInt64.random(in: 0 ... .max).hexadecimal)"
    defer { try? Files.remove(scratch) }
    do {
      try Files.makeFolder(scratch)
      func run(_ arguments: [String]) throws -> Bool {
        let process = ChildProcess(
          executable: program, arguments: ["bwrap"] + arguments, environment: [:], folder: scratch)
        return try process.run(
          output: scratch + "/out", errors: scratch + "/err", limit: 10, interruption: Interruption())
          == .exited(0)
      }
      let works = try run(confinement(hiding: []) + ["--", "/bin/sh", "-c", ":"])
      if works, try run(["--version"]) {
        let version = String(decoding: try Files.read(scratch + "/out"), as: UTF8.self)
        return .bubblewrap(program: program, version: version.trimmingCharacters(in: .whitespacesAndNewlines))
      }
      let why = String(decoding: (try? Files.read(scratch + "/err")) ?? [], as: UTF8.self)
      return .none(
        reason: "bubblewrap does not work here: \(why.trimmingCharacters(in: .whitespacesAndNewlines))")
    } catch {
      return .none(reason: "bubblewrap does not work here: \(error)")
    }
  }

  /// Everything is read-only, `/tmp` is empty, some folders are empty, there is no network and no other process.
  static func confinement(hiding folders: [String]) -> [String] {
    var arguments = [
      "--die-with-parent", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--hostname", "stage",
      "--cap-drop", "ALL", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp",
    ]
    for folder in folders where !RelativePath.contains("/tmp", folder) && !RelativePath.contains("/dev", folder) {
      arguments += ["--tmpfs", folder]
    }
    return arguments
  }

  /// Whether a path of the machine is not to be seen in the sandbox.
  static func hides(_ path: String, _ folders: [String]) -> Bool {
    (folders + ["/tmp", "/dev"]).contains { RelativePath.contains($0, path) }
  }
}
