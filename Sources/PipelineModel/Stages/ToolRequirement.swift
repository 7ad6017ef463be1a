import Synchronization

/// Programs of the machine that a stage needs. What they are is in the key.
package protocol ToolRequirement: Sendable {
  /// Finds and identifies the programs.
  /// - Parameters:
  ///   - stage: the stage's name, for messages.
  ///   - environment: where they come from; nil for the system.
  /// - Throws: code `missingTool` that names the stage and the program.
  func identity(on host: StageHost, stage: String, environment: EnvironmentDescription?) throws -> ToolIdentity
  /// Whether another stage needs the same programs, so that what was found for this one holds for it.
  func isSameRequirement(_ other: any ToolRequirement) -> Bool
  /// What people should know before such a stage is executed; nil for nothing.
  /// - Throws: where it may not be executed under the policy.
  func notice(under policy: SandboxPolicy) throws -> String?
  /// Starts a shell, or another program, where the stage's program would run, on the terminal of this process.
  /// - Parameter words: the program and its arguments; none for a shell.
  /// - Returns: its exit status.
  func enter(_ context: StageContext, words: [String]) throws -> Int32
  /// Whether the programs are kept from what they did not declare.
  func isConfined(under policy: SandboxPolicy) throws -> Bool
}

/// The machine and the store, as seen by those who identify programs. A planner has one, so that each program is looked
/// at once.
package final class StageHost: Sendable {
  /// Folders with colons between them; nil for the usual ones.
  package let searchPath: String?
  /// The folder of the store.
  package let store: String
  /// Whether the store is only looked at.
  package let isObserved: Bool
  /// Makes an empty folder, which the caller removes.
  package let makeScratch: @Sendable () throws -> String

  private struct State {
    var policy: SandboxPolicy?
    var services: [ObjectIdentifier: any Sendable] = [:]
  }

  private let state: Mutex<State>

  /// - Parameter policy: of who is going to execute stages; nil for who only looks.
  package init(
    searchPath: String?, store: String, isObserved: Bool, policy: SandboxPolicy?,
    makeScratch: @escaping @Sendable () throws -> String
  ) {
    self.searchPath = searchPath
    self.store = store
    self.isObserved = isObserved
    self.makeScratch = makeScratch
    state = Mutex(State(policy: policy))
  }

  /// Nil for who only looks, and starts no program without a sandbox.
  package var policy: SandboxPolicy? { state.withLock { $0.policy } }

  /// Says that stages are going to be executed, and how.
  package func allow(_ policy: SandboxPolicy) { state.withLock { $0.policy = policy } }

  /// The one helper of its type on this host, made where there is none yet: it remembers what it found.
  package func helper<Helper: Sendable>(_ make: () -> Helper) -> Helper {
    state.withLock { state in
      let key = ObjectIdentifier(Helper.self)
      if let helper = state.services[key] as? Helper { return helper }
      let helper = make()
      state.services[key] = helper
      return helper
    }
  }
}
