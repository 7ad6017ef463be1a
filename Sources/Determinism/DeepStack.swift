import Foundation

/// The stack that stages and parsers may count on, in bytes; a thread of the system's may have an eighth of it.
public let deepStackBytes = 64 << 20

/// Runs `body` on a thread of its own with `deepStackBytes` of stack, and waits for it.
/// - Throws: what `body` throws, or `ThreadFailure` where the system refuses the thread.
public func onDeepStack<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
  nonisolated(unsafe) var result: Result<R, any Error>?  // Read after the thread is done.
  let done = DispatchSemaphore(value: 0)
  try startThread(named: "deep stack", stackBytes: deepStackBytes) {
    result = Result { try body() }
    done.signal()
  }
  done.wait()
  return try result!.get()
}
