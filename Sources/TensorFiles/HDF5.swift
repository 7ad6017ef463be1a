import CCodecs
import Synchronization

/// The HDF5 library, which only one thread may use at a time.
///
/// Expensive work (compression, digests) happens outside `HDF5.locked`.
enum HDF5 {
  private static let mutex = Mutex(())

  /// Runs `body` while no other thread is inside the library.
  static func locked<R: ~Copyable>(_ body: () throws(TensorFileError) -> sending R) throws(TensorFileError) -> sending R
  {
    try mutex.withLock { _ throws(TensorFileError) in
      guard cc_h5_setup() == 0 else {
        throw TensorFileError(.noReader, at: "libhdf5", "the library cannot be initialised: \(reason)")
      }
      return try body()
    }
  }

  /// The innermost reason of the last failure; read it under the lock that the failing call held.
  static var reason: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 240) { buffer in
      cc_h5_error(buffer.baseAddress!, buffer.count)
      return String(cString: buffer.baseAddress!)
    }
  }

  /// Throws the last failure where `status` is negative: as `code` where the library reported it, else with the code and
  /// reason of our own C functions.
  static func check(
    _ status: some SignedInteger, _ code: TensorFileError.Code, _ place: String, _ what: String
  )
    throws(TensorFileError)
  {
    guard status < 0 else { return }
    switch Int32(truncatingIfNeeded: status) {
    case CC_H5_REFUSED: throw TensorFileError(.unsupported, at: place, reason)
    case CC_H5_TOO_LARGE: throw TensorFileError(.tooLarge, at: place, reason)
    default:
      // Without a memory limit on this process, allocation fails only where a file claims absurd sizes.
      if cc_h5_lacks_memory() != 0, let limit = Memory.limit {
        throw TensorFileError(
          .noMemory, at: place, "\(what): not enough memory; the limit is \(Memory.mebibytes(limit)) (ulimit -v)")
      }
      throw TensorFileError(code, at: place, "\(what): \(reason)")
    }
  }
}
