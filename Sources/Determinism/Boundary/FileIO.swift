import Foundation

/// A failed system call on a file.
public struct FileFailure: DiagnosableError, Equatable {
  /// The file or folder.
  public let path: String
  /// What was attempted, such as `write 12 bytes`.
  public let action: String
  /// `errno`; 0 where no system call failed.
  public let code: Int32
  /// Replaces the system's message for `code`.
  public let reason: String?

  /// - Parameter code: by default the `errno` of the system call that has just failed.
  public init(_ action: String, _ path: String, code: Int32 = errno, reason: String? = nil) {
    (self.action, self.path, self.code, self.reason) = (action, path, code, reason)
  }

  /// True where the disk, the quota or the file size limit was exhausted.
  public var isDiskFull: Bool { code == ENOSPC || code == EDQUOT || code == EFBIG }
  /// True where the path does not exist or is not what it should be: the user's mistake, not the machine's.
  public var isUserData: Bool { [ENOENT, ENOTDIR, EISDIR, 0].contains(code) }

  public var description: String {
    let text = "\(path): cannot \(action): \(reason ?? String(cString: strerror(code)))"
    return switch code {
    case ENOSPC, EDQUOT: text + ". Free some space and run again"
    case EFBIG: text + " (see 'ulimit -f')"
    case EMFILE: text + "; raise the limit of open files (see 'ulimit -n')"
    default: text
    }
  }
}

/// Reading and writing whole files, for everything outside of the store. Short writes are continued, and every failure
/// throws an error that names the file.
public enum FileIO {
  /// What a path names: a regular file, a folder, or something else such as a pipe or a device.
  public enum Kind: Sendable { case file, folder, other }

  /// The kind of what a path names, following links; nil where nothing exists.
  public static func kind(_ path: String) -> Kind? {
    var s = stat()
    guard stat(path, &s) == 0 else { return nil }
    return switch s.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .folder
    default: .other
    }
  }

  /// Reads a whole regular file. Pipes and devices are refused: they might never end.
  /// - Parameter limit: the largest size accepted, in bytes.
  public static func read(_ path: String, limit: Int = 1 << 30) throws(FileFailure) -> [UInt8] {
    let fd = retrying { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard fd >= 0 else { throw FileFailure("read", path) }
    defer { close(fd) }
    return try read(descriptor: fd, path, limit: limit)
  }

  /// Reads an open regular file from its current position to its end.
  public static func read(descriptor fd: Int32, _ path: String, limit: Int) throws(FileFailure) -> [UInt8] {
    var s = stat()
    guard fstat(fd, &s) == 0 else { throw FileFailure("read", path) }
    guard s.st_mode & S_IFMT == S_IFREG else { throw FileFailure("read", path, code: 0, reason: "not a file") }
    guard s.st_size <= limit else {
      throw FileFailure("read", path, code: 0, reason: "\(s.st_size) bytes, more than such a file can have (\(limit))")
    }
    var bytes = [UInt8](repeating: 0, count: Int(s.st_size))
    var done = 0
    while done < bytes.count {
      let n = bytes.withUnsafeMutableBytes { buffer in
        retrying { Glibc.read(fd, buffer.baseAddress! + done, buffer.count - done) }
      }
      guard n >= 0 else { throw FileFailure("read", path) }
      if n == 0 { break }
      done += n
    }
    bytes.removeLast(bytes.count - done)
    return bytes
  }

  /// Writes all bytes to an open descriptor, in as many calls as it takes.
  /// - Returns: 0, or the `errno` of the write that failed.
  public static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
    var done = 0
    while done < bytes.count {
      let n = retrying { Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done) }
      if n < 0 {
        guard errno == EAGAIN else { return errno }
        // Another process made this terminal or pipe non-blocking: wait until it is writable.
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&request, 1, -1)
        continue
      }
      if n == 0 { return EIO }
      done += n
    }
    return 0
  }

  /// Creates or truncates a file. May leave a partial file, as when the disk is full; `publish` never does.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileFailure) {
    try write(bytes, to: path, flags: O_TRUNC, sync: false)
  }

  private static func write(_ bytes: [UInt8], to path: String, flags: Int32, sync: Bool) throws(FileFailure) {
    let fd = retrying { open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | flags, 0o644) }
    guard fd >= 0 else { throw FileFailure("write", path) }
    var code = bytes.withUnsafeBytes { writeAll($0, to: fd) }
    if code == 0, sync, fsync(fd) != 0, errno != EINVAL { code = errno }
    // Network file systems may report a full disk only on close.
    if close(fd) != 0, code == 0, errno != EINTR { code = errno }
    guard code == 0 else { throw FileFailure("write \(bytes.count) bytes", path, code: code) }
  }

  /// Writes a file atomically: to a temporary file, which then replaces a regular file at `path`.
  /// - Throws: also where `path` is a folder, a pipe or a device.
  public static func publish(_ bytes: [UInt8], to path: String) throws(FileFailure) {
    try requirePublishable(path)
    let temporary = "\(path).\(getpid()).part"
    do throws(FileFailure) {
      try write(bytes, to: temporary, flags: O_EXCL, sync: true)
    } catch {
      if error.code != EEXIST { unlink(temporary) }
      throw FileFailure(error.action, path, code: error.code, reason: error.reason)
    }
    guard rename(temporary, path) == 0 else {
      let code = errno
      unlink(temporary)
      throw FileFailure("write", path, code: code)
    }
  }

  /// Checks that `publish` could write to a path.
  /// - Throws: where `path` is a folder, a pipe or a device.
  public static func requirePublishable(_ path: String) throws(FileFailure) {
    guard let kind = kind(path), kind != .file else { return }
    throw FileFailure(
      "write", path, code: 0, reason: kind == .folder ? "a folder is there" : "a pipe or device is there, not a file")
  }

  /// Creates a folder and its missing parents.
  public static func makeFolder(_ path: String) throws(FileFailure) {
    if mkdir(path, 0o755) == 0 { return }
    if errno == EEXIST {
      guard kind(path) == .folder else { throw FileFailure("make folder", path, code: 0, reason: "a file is there") }
      return
    }
    guard errno == ENOENT, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex else {
      throw FileFailure("make folder", path)
    }
    try makeFolder(String(path[..<slash]))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw FileFailure("make folder", path) }
  }

  /// The names in a folder, in the order of their bytes, without `.` and `..`.
  /// - Throws: also for a name that is not UTF-8, which the message shows with escapes.
  public static func list(_ path: String) throws(FileFailure) -> [String] {
    guard let folder = opendir(path) else { throw FileFailure("list", path) }
    defer { closedir(folder) }
    return try list(folder, path)
  }

  /// The remaining names of an open folder, in the order of their bytes; the caller closes it.
  public static func list(_ folder: OpaquePointer, _ path: String) throws(FileFailure) -> [String] {
    var names = [String]()
    while true {
      errno = 0
      guard let entry = readdir(folder) else {
        if errno != 0 { throw FileFailure("list", path) }
        break
      }
      let bytes = name(of: entry)
      guard let name = String(validating: bytes, as: UTF8.self) else {
        let shown = bytes.map { $0 < 0x80 ? String(Unicode.Scalar($0)) : "\\x" + String($0, radix: 16) }.joined()
        throw FileFailure("list", path, code: 0, reason: "the file name '\(shown)' is not UTF-8; rename it")
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sortedByBytes()
  }

  /// The bytes of a folder entry's name.
  public static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
    withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
  }

  /// Repeats a system call while signals interrupt it.
  public static func retrying<N: SignedInteger>(_ call: () -> N) -> N {
    while true {
      let result = call()
      if result >= 0 || errno != EINTR { return result }
    }
  }
}
