import Synchronization

/// The memory of all tensors of this process, including those that operations allocate temporarily.
public enum TensorMemory {
  /// Bytes in use.
  public static var used: Int { StoragePool.shared.taken }

  /// Bytes that are free and kept for later tensors.
  public static var idle: Int { StoragePool.shared.idle }

  /// Sets the function that receives the message when memory is exhausted, before the program ends. It replaces the one
  /// set before.
  ///
  /// Tensor operations can't throw. So the program reports what it lacked and ends, like a run whose stage failed. The
  /// store is intact, and training resumes from its last checkpoint.
  public static func onExhaustion(_ report: @escaping @Sendable (String) -> Void) {
    reporter.withLock { $0 = report }
  }

  private static let reporter = Mutex<@Sendable (String) -> Void>({ _ in })

  /// Sets the function that ends the program when memory is exhausted. It receives the message and must not tear down
  /// what other threads are using. By default the program traps.
  public static func endProgram(by end: @escaping @Sendable (_ message: String) -> Never) {
    ending.withLock { $0 = end }
  }

  private static let ending = Mutex<@Sendable (String) -> Never>({ fatalError($0) })

  /// Reports that memory for a tensor could not be allocated, and ends the program.
  static func exhausted(_ bytes: Int?, for shape: Shape) -> Never {
    let size = bytes.map { "\($0) bytes" } ?? "more bytes than 64 bits can count"
    let message =
      "out of memory: cannot allocate \(size) for a tensor of shape \(shape); tensors use \(used >> 20) MiB already. "
      + "Use smaller batches, images or networks, or give the program more memory"
    end(message)
  }

  /// Reports why tensors can't be computed any longer, and ends the program.
  static func end(_ message: String) -> Never {
    // A copy, since reporting may run out of memory again.
    let report = reporter.withLock { $0 }
    report(message)
    let end = ending.withLock { $0 }
    end(message)
  }
}
