import Determinism
import PipelineModel
import Synchronization

/// Names in a folder, as they were listed a moment ago.
///
/// Where machines share a file system, a name must not be looked up before it is there: the machine would remember that
/// it was missing, and not see it for up to a minute. Lists have no such memory.
final class NameList: Sendable {
  private struct State {
    var names: Set<String> = []
    /// Seconds of `LeaseTable.uptime`; nil before the first list.
    var listed: Double?
  }

  private let path: String
  private let state = Mutex(State())

  init(_ path: String) { self.path = path }

  /// How old a list may be that says a name is missing.
  private static let age = 0.5

  /// Whether a name is there, or was half a second ago.
  func holds(_ name: String) -> Bool {
    state.withLock { state in
      if state.names.contains(name) { return true }
      let now = LeaseTable.uptime
      if let listed = state.listed, now - listed < NameList.age { return false }
      guard let names = try? Files.list(path) else { return false }
      state = State(names: Set(names), listed: now)
      return state.names.contains(name)
    }
  }

  /// Adds a name that is known to be there.
  func add(_ name: String) { state.withLock { _ = $0.names.insert(name) } }
}
