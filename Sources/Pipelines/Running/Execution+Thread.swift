import Determinism
import Foundation

extension Execution {
  /// `rehearse` for callers that wait for it, with events for its begin and end.
  func rehearseAlone(record: Record) throws -> RerunReport.InstanceReport {
    let report = try Execution.onOwnThread { try rehearse(record: record) }
    observer(.finished(stage: instance.name, key: instance.key, outputs: report.outputs, seconds: report.seconds))
    return report
  }

  /// A stage may count on a stack of 64 MiB, which the calling thread may not have.
  static func onOwnThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) throws -> R {
    nonisolated(unsafe) var result: Result<R, any Error>?  // Read after the thread is done.
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      result = Result { try body() }
      done.signal()
    }
    thread.stackSize = 64 << 20
    thread.start()
    done.wait()
    return try result!.get()
  }
}
