import CCodecs
import Determinism
import Foundation

extension TensorFile {
  /// Writes tensors and attributes to a file, replacing an existing one. Equal content gives equal bytes (with equal
  /// versions of HDF5 and LZ4; the digest does not depend on them).
  ///
  /// Takes some 100 MiB of memory in addition to the tensors, for tensors of any size.
  /// - Throws: `badName`, or `unwritable` with the reason of the library or the disk. No partial file is left.
  public static func write(
    _ path: String, tensors: [(name: String, tensor: NamedTensor)], attributes: [String: CanonicalValue] = [:]
  ) throws(TensorFileError) {
    try TensorFile(tensors: tensors, attributes: attributes).write(to: path)
  }

  /// Writes the file, replacing an existing one; see `write(_:tensors:attributes:)`.
  public func write(to path: String) throws(TensorFileError) {
    try write(to: path, flags: O_TRUNC | O_NOFOLLOW, sync: false)
  }

  /// Writes the file atomically: to a temporary file, which then replaces a regular file at `path`.
  /// - Throws: also where `path` is a folder, a pipe or a device.
  public func publish(to path: String) throws {
    try FileIO.requirePublishable(path)
    let temporary = "\(path).\(getpid()).part"
    do throws(TensorFileError) {
      try write(to: temporary, flags: O_EXCL, sync: true)
    } catch {
      throw TensorFileError(error.code, at: path, error.message)
    }
    guard rename(temporary, path) == 0 else {
      let code = errno
      unlink(temporary)
      throw FileFailure("write", path, code: code)
    }
  }

  private func write(to path: String, flags: Int32, sync: Bool) throws(TensorFileError) {
    let descriptor = FileIO.retrying { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | flags, 0o644) }
    guard descriptor >= 0 else {
      throw TensorFileError(.unwritable, at: path, "cannot be written: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw TensorFileError(.unwritable, at: path, "cannot be written: it is not a file")
    }
    do throws(TensorFileError) {
      try write(toDescriptor: descriptor, place: path)
      if sync, FileIO.retrying({ fsync(descriptor) }) != 0 { try TensorWriter.check(errno, path) }
      FileGuard.current?.trust(descriptor)
    } catch {
      unlink(path)
      throw error
    }
  }

  /// The bytes that `write` puts into the file.
  public func encoded() throws(TensorFileError) -> [UInt8] {
    let descriptor = cc_anonymous_file()
    guard descriptor >= 0 else {
      throw TensorFileError(
        .unwritable, at: "memory", "cannot create an in-memory file: \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    let size = try write(toDescriptor: descriptor, place: "memory")
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      code = cc_storage_read_all(descriptor, buffer.baseAddress, size, 0)
      count = code == 0 ? size : 0
    }
    guard code == 0 else {
      throw TensorFileError(.unwritable, at: "memory", String(cString: strerror(code)))
    }
    return bytes
  }

  /// - Returns: the size of the file.
  @discardableResult
  private func write(toDescriptor descriptor: Int32, place: String) throws(TensorFileError) -> Int {
    let storage = try FileStorage(writing: descriptor, place: place)
    let file = try HDF5.locked { () throws(TensorFileError) in
      let file = cc_h5_create(storage.handle)
      try HDF5.check(file, .unwritable, place, "cannot be created")
      return file
    }
    var failure: TensorFileError?
    do throws(TensorFileError) {
      try HDF5.locked { () throws(TensorFileError) in
        try Attributes.write(attributes, to: file)
        var made = Set<ByteName>()
        for entry in entries {
          for group in Names.groups(of: entry.name) where made.insert(ByteName(group)).inserted {
            try HDF5.check(cc_h5_create_group(file, group), .unwritable, "group '\(group)'", "cannot be created")
          }
        }
      }
      var writer = TensorWriter(file: file, storage: storage, place: place)
      try writer.write(entries)
    } catch {
      failure = error
    }
    let status = try HDF5.locked { () throws(TensorFileError) in cc_h5_close_file(file) }
    if let failure { throw failure }
    guard status >= 0 else { throw TensorFileError(.unwritable, at: place, "cannot be finished") }
    try TensorWriter.check(TensorWriter.passing { cc_storage_finish(storage.handle) }, place)
    return Int(storage.size)
  }
}

extension NamedTensor {
  var isChunked: Bool { !shape.isEmpty && byteCount >= ChunkLayout.minimalBytes }
}
