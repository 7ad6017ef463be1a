import Determinism
import Foundation

/// An untrusted file whose parts are read on demand.
///
/// Sizes that the file claims are checked against its own size before memory is allocated.
struct ByteSource: ~Copyable {
  let place: String
  let size: Int
  private let descriptor: Int32

  init(path: String) throws(TensorFileError) {
    place = path
    // Without O_NONBLOCK opening a pipe would wait for a writer.
    descriptor = FileIO.retrying { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else {
      throw TensorFileError(.unreadable, at: path, "cannot be opened: \(String(cString: strerror(errno)))")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw TensorFileError(.unreadable, at: path, "not a regular file")
    }
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Reads `count` bytes from `offset`.
  /// - Throws: `corrupt` where the file ends before that.
  func read(_ offset: Int, _ count: Int) throws(TensorFileError) -> [UInt8] {
    guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
      throw TensorFileError(
        .corrupt, at: place, "ends before byte \(offset) + \(count); the file is truncated or damaged")
    }
    try Memory.require(count, at: place)
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let n = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
        if n < 0 && errno == EINTR { continue }
        guard n > 0 else {
          failure = n < 0 ? errno : ENODATA
          return
        }
        filled += n
      }
    }
    guard failure == 0 else {
      throw TensorFileError(.unreadable, at: place, "cannot be read: \(String(cString: strerror(failure)))")
    }
    return bytes
  }
}

/// Little-endian numbers in a header. Callers check the bounds.
extension [UInt8] {
  func number<T: FixedWidthInteger>(at offset: Int, as type: T.Type = T.self) -> T {
    var value: T = 0
    for i in (0..<MemoryLayout<T>.size).reversed() { value = value << 8 | T(truncatingIfNeeded: self[offset + i]) }
    return value
  }
}
