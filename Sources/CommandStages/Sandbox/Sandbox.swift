import CProcesses
import Determinism
import Foundation
import PipelineModel

/// The sandbox that keeps a command from undeclared files and from the network: bubblewrap, or none.
enum Sandbox: Sendable {
  /// - Parameter filters: whether system calls are filtered as well.
  case bubblewrap(program: String, version: String, filters: Bool)
  case none(reason: String)

  /// Whether it confines anything.
  var isSandbox: Bool { if case .bubblewrap = self { true } else { false } }

  /// For records.
  var name: String {
    switch self {
    case .bubblewrap(_, let version, let filters): filters ? version : version + ", system calls not filtered"
    case .none: "none"
    }
  }

  /// - Throws: where there must be a sandbox and is none, and where it could not be found out whether there is one.
  static func find(_ policy: SandboxPolicy) throws -> Sandbox {
    if policy == .off { return .none(reason: "the sandbox is off") }
    let here = try here.get()
    if case .none(let reason) = here, policy == .required {
      throw PipelineError(.missingTool, "commands must run in a sandbox, but \(reason)")
    }
    return here
  }

  /// What to say, once, where commands are executed without a sandbox.
  /// - Throws: where they may not be.
  static func notice(_ policy: SandboxPolicy) throws -> String? {
    guard case .none(let reason) = try find(policy) else { return nil }
    return "commands run without a sandbox: \(reason). Nothing keeps them from files they do not declare"
  }

  /// Of this machine; looked at once.
  private static let here = probe()

  /// A failure that may pass, such as too few descriptors, is none of bubblewrap's: commands must not run without it
  /// then.
  private static func probe() -> Result<Sandbox, PipelineError> {
    guard let program = ToolFinder(searchPath: ToolFinder.standardPath).find("bwrap") else {
      return .success(.none(reason: "bubblewrap is not installed (Debian: apt-get install bubblewrap)"))
    }
    var why = ""
    do {
      func output(_ process: ChildProcess) throws -> String? {
        let (ending, text) = try process.capture(bytes: 4096, limit: 10, interruption: Interruption())
        let plain = String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        if ending != .exited(0) { why = plain.isEmpty ? "\(ending)" : plain }
        return ending == .exited(0) ? plain : nil
      }
      let version = ChildProcess(
        executable: program, arguments: ["bwrap", "--version"], environment: [:], folder: "/")
      for filters in [true, false] {
        let confinement = Confinement(programs: ["/bin/sh"], hidden: [], variables: [:], filters: filters)
        let trial: ChildProcess
        do {
          trial = try confinement.process(
            wrapper: program, program: "/bin/sh", words: ["sh", "-c", ":"], folder: "/tmp")
        } catch {
          // Not every processor has filters; whatever else is wrong shows without them too.
          guard filters else { throw error }
          continue
        }
        if try output(trial) != nil, let version = try output(version) {
          return .success(.bubblewrap(program: program, version: version, filters: filters))
        }
      }
    } catch {
      return .failure(
        PipelineError(
          .missingTool,
          "it could not be tried whether bubblewrap works: \(error). Correct that, or run without a sandbox: --sandbox off"
        ))
    }
    return .success(.none(reason: "bubblewrap does not work here: \(why)"))
  }
}
