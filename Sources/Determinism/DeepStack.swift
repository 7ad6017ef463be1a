import Foundation

/// The stack size that stages and parsers may rely on, in bytes; a system's default may be an eighth of it.
public let deepStackBytes = 64 << 20

/// Runs `body` on a new thread with a stack of `deepStackBytes`, and waits for it.
/// - Throws: what `body` throws, or `ThreadFailure` where the thread cannot be created.
public func onDeepStack<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
  nonisolated(unsafe) var result: Result<R, any Error>?  // Read only after the thread has signalled `done`.
  let done = DispatchSemaphore(value: 0)
  try startThread(named: "deep stack", stackBytes: deepStackBytes) {
    result = Result { try body() }
    done.signal()
  }
  done.wait()
  return try result!.get()
}
