import Foundation
import Synchronization

/// The memory of all tensors of this process, and of what operations need beside them.
public enum TensorMemory {
  /// Bytes in use.
  public static var used: Int { StoragePool.shared.taken }

  /// Bytes that were used and are kept for the next tensors.
  public static var idle: Int { StoragePool.shared.idle }

  /// Calls `report` with the message where a tensor gets no memory, before the program ends. The newest one counts.
  ///
  /// An operation in the middle of a training can't throw. So the program says what it lacked and ends with 1, like any
  /// run whose stage failed; what was stored is whole, and a training goes on from its last checkpoint.
  public static func onExhaustion(_ report: @escaping @Sendable (String) -> Void) {
    reporter.withLock { $0 = report }
  }

  private static let reporter = Mutex<@Sendable (String) -> Void>({ _ in })

  /// Ends the program.
  static func exhausted(_ bytes: Int?, for shape: Shape) -> Never {
    let size = bytes.map { "\($0) bytes" } ?? "more bytes than can be counted"
    let message =
      "out of memory: no \(size) for a tensor of shape \(shape); tensors hold \(used >> 20) MiB already. Make batches, "
      + "pictures or the network smaller, or give the program more memory"
    // A copy, since the report may come back here.
    let report = reporter.withLock { $0 }
    report(message)
    let line = Array("autopanoptic: error: \(message)\n".utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    // Other threads may be in the middle of anything: nothing is torn down.
    _exit(1)
  }
}
