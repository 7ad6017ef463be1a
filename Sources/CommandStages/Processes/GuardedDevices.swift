import CProcesses
import Determinism
import Dispatch
import Glibc
import PipelineModel
import Synchronization

/// A mount namespace in which the machine's device nodes are read-only, for programs of a user who owns the nodes: root
/// could change their modes from inside a sandbox too.
///
/// It is made once, since making one and taking it down costs a small program more time than all else.
struct GuardedDevices: Sendable {
  let namespace: Descriptor
  /// The root folder of this process, in that namespace.
  let root: Descriptor

  private static let made = Mutex<GuardedDevices?>(nil)

  /// - Returns: nil where this user owns no device nodes.
  /// - Throws: where it can't be made; the next call tries again.
  static func find() throws -> GuardedDevices? {
    var s = stat()
    guard stat("/dev/null", &s) == 0, s.st_uid == geteuid() else { return nil }
    return try made.withLock { made in
      if made == nil { made = try make() }
      return made
    }
  }

  private static func make() throws -> GuardedDevices {
    let answer = Answer()
    // The thread is in the other namespace from then on, so it ends.
    try startThread(named: "devices", stackBytes: 1 << 18) {
      var ends: [Int32] = [-1, -1]
      let error = cp_guard_devices(&ends) == 0 ? 0 : errno
      answer.give(error == 0 ? .success((ends[0], ends[1])) : .failure(.init(code: error)))
    }
    let ends = try answer.wait()
    return GuardedDevices(namespace: Descriptor(ends.namespace), root: Descriptor(ends.root))
  }

  private struct Refusal: Error { let code: Int32 }

  /// What a thread says once.
  private final class Answer: Sendable {
    typealias Ends = (namespace: Int32, root: Int32)
    private let result = Mutex<Result<Ends, Refusal>?>(nil)
    private let given = DispatchSemaphore(value: 0)

    func give(_ result: Result<Ends, Refusal>) {
      self.result.withLock { $0 = result }
      given.signal()
    }

    func wait() throws -> Ends {
      given.wait()
      do { return try result.withLock { $0! }.get() } catch {
        throw Files.failure("protect", "the machine's device nodes", error.code)
      }
    }
  }
}
