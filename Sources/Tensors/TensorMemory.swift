import Synchronization

/// The memory of all tensors of this process, and of what operations need beside them.
public enum TensorMemory {
  /// Bytes in use.
  public static var used: Int { StoragePool.shared.taken }

  /// Bytes that were used and are kept for the next tensors.
  public static var idle: Int { StoragePool.shared.idle }

  /// Calls `report` with the message where a tensor gets no memory, before the program ends. The newest one counts.
  ///
  /// An operation in the middle of a training can't throw. So the program says what it lacked and ends, like a run
  /// whose stage failed; what was stored is whole, and a training resumes from its last checkpoint.
  public static func onExhaustion(_ report: @escaping @Sendable (String) -> Void) {
    reporter.withLock { $0 = report }
  }

  private static let reporter = Mutex<@Sendable (String) -> Void>({ _ in })

  /// Says how this program ends where a tensor gets no memory: with the message, and without tearing down what other
  /// threads are in the middle of. By default it traps.
  public static func endProgram(by end: @escaping @Sendable (_ message: String) -> Never) {
    ending.withLock { $0 = end }
  }

  private static let ending = Mutex<@Sendable (String) -> Never>({ fatalError($0) })

  /// Ends the program.
  static func exhausted(_ bytes: Int?, for shape: Shape) -> Never {
    let size = bytes.map { "\($0) bytes" } ?? "more bytes than can be counted"
    let message =
      "out of memory: no \(size) for a tensor of shape \(shape); tensors hold \(used >> 20) MiB already. Make batches, "
      + "pictures or the network smaller, or give the program more memory"
    // A copy, since the report may come back here.
    let report = reporter.withLock { $0 }
    report(message)
    let end = ending.withLock { $0 }
    end(message)
  }
}
