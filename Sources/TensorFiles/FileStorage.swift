import CCodecs
import Determinism
import Foundation

/// The storage of an HDF5 file, on which the library's file driver works: a descriptor or memory. The library decides the
/// layout of a file and locates chunks in it; chunks are transferred here, on any thread and outside of its lock.
final class FileStorage: @unchecked Sendable {
  // Invariant: `handle` is used only inside `HDF5.locked`, except for its size; all else is constant.

  let handle: OpaquePointer
  /// The file; -1 for memory.
  let descriptor: Int32
  private let image: UnsafeMutableRawBufferPointer?
  private let ownsDescriptor: Bool

  private init(
    _ handle: OpaquePointer?, descriptor: Int32, image: UnsafeMutableRawBufferPointer? = nil, ownsDescriptor: Bool,
    place: String
  ) throws(TensorFileError) {
    guard let handle else {
      image?.deallocate()
      if ownsDescriptor { close(descriptor) }
      throw TensorFileError(.noMemory, at: place, "not enough memory")
    }
    self.handle = handle
    self.descriptor = descriptor
    self.image = image
    self.ownsDescriptor = ownsDescriptor
  }

  /// A file to be written; the descriptor stays the caller's.
  convenience init(writing descriptor: Int32, place: String) throws(TensorFileError) {
    try self.init(cc_storage_to_file(descriptor), descriptor: descriptor, ownsDescriptor: false, place: place)
  }

  /// A file to be read.
  /// - Throws: `unreadable` where it is missing or not a regular file.
  convenience init(reading path: String) throws(TensorFileError) {
    let descriptor = FileIO.retrying { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else {
      throw TensorFileError(.unreadable, at: path, "cannot be opened: \(String(cString: strerror(errno)))")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw TensorFileError(.unreadable, at: path, "not a file")
    }
    do {
      try FileGuard.current?.admit(path, descriptor: descriptor)
    } catch {
      close(descriptor)
      throw error
    }
    try self.init(
      cc_storage_of_file(descriptor, UInt64(status.st_size)), descriptor: descriptor, ownsDescriptor: true,
      place: path)
  }

  /// Bytes in memory to be read.
  convenience init(image bytes: [UInt8], place: String) throws(TensorFileError) {
    try Memory.require(bytes.count, at: place)
    let image = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
    image.copyBytes(from: bytes)
    try self.init(
      cc_storage_of_image(image.baseAddress, UInt64(bytes.count)), descriptor: -1, image: image, ownsDescriptor: false,
      place: place)
  }

  deinit {
    cc_storage_free(handle)
    image?.deallocate()
    if ownsDescriptor { close(descriptor) }
  }

  /// The size of the file in bytes.
  var size: UInt64 { cc_storage_size(handle) }

  /// Calls `body` with a part of the file.
  /// - Parameter scratch: buffers of at least `count` bytes.
  /// - Returns: nil where the part is not inside the file or cannot be read.
  func withBytes<R>(
    at offset: UInt64, count: Int, scratch: ScratchBuffers, _ body: (UnsafeRawBufferPointer) -> R
  ) -> R? {
    guard count > 0, offset <= size, UInt64(count) <= size - offset else { return nil }
    if let image { return body(UnsafeRawBufferPointer(rebasing: image[Int(offset)..<Int(offset) + count])) }
    return scratch.with { buffer in
      guard cc_storage_read_all(descriptor, buffer, count, offset) == 0 else { return nil }
      return body(UnsafeRawBufferPointer(start: buffer, count: count))
    }
  }
}
