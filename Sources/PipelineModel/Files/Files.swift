import Determinism
import Foundation
import Glibc

/// POSIX files with errors that name the file, and writes that survive a crash.
///
/// Every step that changes something passes a fail point, so that tests can crash or fail at each of them.
package enum Files {
  /// Larger files are not read into memory in one piece; what a store holds in one piece is far below.
  package static let readLimit = 1 << 30

  package struct Status: Hashable {
    package var size: Int
    /// Nanoseconds since 1970. File systems know years whose nanoseconds need more than 64 bits.
    package var modified: Int128
    /// Time of the last change of the inode; no tool can set it back.
    package var changed: Int128
    package var device: UInt64
    package var inode: UInt64
    package var isFolder: Bool
    package var isRegular: Bool
    /// By its owner.
    package var isExecutable: Bool
  }

  package static func failure(_ action: String, _ path: String, _ code: Int32 = errno) -> PipelineError {
    let reason = String(cString: strerror(code))
    if code == EFBIG {
      return PipelineError(
        .diskFull, "\(path): cannot \(action): \(reason); files may have \(fileSizeLimit) at most (ulimit -f)")
    }
    if code == ELOOP {
      return PipelineError(.badArtifact, "\(path): cannot \(action): there is a cycle of links; remove them")
    }
    if code == EMFILE {
      return PipelineError(
        .io, "\(path): cannot \(action): \(reason); raise the limit of open files (see 'ulimit -n') and run again")
    }
    if code == ESTALE {
      return PipelineError(.staleFile, "\(path): cannot \(action): \(reason): it was replaced on the server meanwhile")
    }
    guard code == ENOSPC || code == EDQUOT else { return PipelineError(.io, "\(path): cannot \(action): \(reason)") }
    let free = freeSpace(path).map { "; \($0) bytes are free" } ?? ""
    return PipelineError(.diskFull, "\(path): cannot \(action): \(reason)\(free). Free some space and run again")
  }

  private static var fileSizeLimit: String {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { return "unknown" }
    return "\(limit.rlim_cur) bytes"
  }

  package static func status(_ path: String) throws -> Status {
    guard let status = try optionalStatus(path) else { throw failure("read", path, ENOENT) }
    return status
  }

  /// Nil where nothing is there.
  package static func optionalStatus(_ path: String) throws -> Status? {
    var s = stat()
    guard stat(path, &s) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure("read", path)
    }
    return Status(s)
  }

  /// What lies at a path itself, links not followed; nil where nothing is there.
  package static func linkStatus(_ path: String) throws -> Status? {
    var s = stat()
    guard lstat(path, &s) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure("read", path)
    }
    return Status(s)
  }

  /// Whether a symbolic link is there, wherever it leads.
  package static func isLink(_ path: String) -> Bool {
    var s = stat()
    return lstat(path, &s) == 0 && s.st_mode & S_IFMT == S_IFLNK
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Passes a fail point.
  package static func pass(_ step: FailPoint.Step, _ action: String, _ path: String) throws {
    if case .fail(let code) = FailPoint.pass(step) { throw failure(action, path, code) }
  }

  /// Opens a file for reading; a pipe or a device in its place is an error, not something to wait for.
  private static func openRegular(_ path: String) throws -> (descriptor: Int32, status: stat) {
    if FailPoint.failsReading(path) { throw failure("read", path, EIO) }
    let fd = FileIO.retrying { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard fd >= 0 else { throw failure("read", path) }
    var s = stat()
    guard fstat(fd, &s) == 0, s.st_mode & S_IFMT == S_IFREG else {
      let code = errno
      close(fd)
      throw s.st_mode == 0 ? failure("read", path, code) : PipelineError(.io, "\(path): not a file")
    }
    return (fd, s)
  }

  /// A whole file.
  /// - Throws: also for a file above `limit` bytes, before any memory is taken for it.
  package static func read(_ path: String, limit: Int = readLimit) throws -> [UInt8] {
    let (fd, s) = try openRegular(path)
    defer { close(fd) }
    guard s.st_size <= limit else {
      throw PipelineError(.damaged, "\(path): has \(s.st_size) bytes, more than such a file can have (\(limit))")
    }
    var bytes = [UInt8](repeating: 0, count: Int(s.st_size))
    var done = 0
    while done < bytes.count {
      let n = bytes.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress! + done, $0.count - done) }
      if n < 0 && errno == EINTR { continue }
      guard n >= 0 else { throw failure("read", path) }
      if n == 0 { break }
      done += n
    }
    bytes.removeLast(bytes.count - done)
    return bytes
  }

  /// SHA-256 of a file's bytes, read in pieces of at most 1 MiB.
  package static func sha256(_ path: String, while keepGoing: () -> Bool = { true }) throws -> Digest {
    let (fd, s) = try openRegular(path)
    defer { close(fd) }
    let piece = min(max(Int(s.st_size) + 1, 4096), 1 << 20)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 64)
    defer { buffer.deallocate() }
    var builder = DigestBuilder()
    while true {
      let n = Glibc.read(fd, buffer.baseAddress!, buffer.count)
      if n < 0 && errno == EINTR { continue }
      guard n >= 0 else { throw failure("read", path) }
      if n == 0 { return builder.finalize() }
      builder.update(UnsafeRawBufferPointer(rebasing: buffer[0..<n]))
      if !keepGoing() { throw StageInterrupted() }
    }
  }

  /// Creates or replaces a file, without making it durable. Links are not followed.
  package static func write(_ bytes: [UInt8], to path: String, append: Bool = false) throws {
    let fate = FailPoint.pass(.write, canInterrupt: true)
    if case .fail(let code) = fate { throw failure("write \(bytes.count) bytes", path, code) }
    let fd = FileIO.retrying {
      open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (append ? O_APPEND : O_TRUNC), 0o644)
    }
    guard fd >= 0 else { throw failure("write", path) }
    let end = fate == .interrupt ? bytes.count / 2 : bytes.count
    var code = bytes.withUnsafeBytes { FileIO.writeAll(UnsafeRawBufferPointer(rebasing: $0[..<end]), to: fd) }
    // Network file systems tell of a full disk on closing.
    if close(fd) != 0, code == 0, errno != EINTR { code = errno }
    guard code == 0 else { throw failure("write \(bytes.count) bytes", path, code) }
    if fate == .interrupt { FailPoint.die() }
  }

  package static func makeReadOnly(_ path: String, executable: Bool = false) throws {
    try pass(.protect, "protect", path)
    guard chmod(path, executable ? 0o555 : 0o444) == 0 else { throw failure("protect", path) }
  }

  /// Lets its owner write to a file, as new files are.
  package static func makeWritable(_ path: String) throws {
    let isExecutable = try status(path).isExecutable
    guard chmod(path, isExecutable ? 0o755 : 0o644) == 0 else { throw failure("unprotect", path) }
  }

  /// Makes a symbolic link.
  package static func link(_ target: String, at path: String) throws {
    guard symlink(target, path) == 0 else { throw failure("make link", path) }
  }

  /// The first bytes of a file.
  package static func head(of path: String, bytes: Int) throws -> [UInt8] {
    try part(of: path, from: 0, bytes: bytes)
  }

  /// The last bytes of a file.
  package static func tail(of path: String, bytes: Int) throws -> [UInt8] {
    try part(of: path, from: max(0, status(path).size - bytes), bytes: bytes)
  }

  private static func part(of path: String, from offset: Int, bytes: Int) throws -> [UInt8] {
    let (fd, _) = try openRegular(path)
    defer { close(fd) }
    var buffer = [UInt8](repeating: 0, count: bytes)
    var done = 0
    while done < bytes {
      let n = buffer.withUnsafeMutableBytes { pread(fd, $0.baseAddress! + done, bytes - done, offset + done) }
      if n < 0 && errno == EINTR { continue }
      guard n >= 0 else { throw failure("read", path) }
      if n == 0 { break }
      done += n
    }
    return Array(buffer.prefix(done))
  }

  /// Makes a folder and those above it.
  /// - Returns: whether it was not there before.
  @discardableResult
  package static func makeFolder(_ path: String) throws -> Bool {
    try pass(.makeFolder, "make folder", path)
    if mkdir(path, 0o755) == 0 { return true }
    if errno == EEXIST {
      // Through a link, a store from somebody else would have files written elsewhere.
      if isLink(path) { throw PipelineError(.badArtifact, "\(path) is a link, where a folder must be") }
      guard try status(path).isFolder else { throw failure("make folder", path, ENOTDIR) }
      return false
    }
    guard errno == ENOENT, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex else {
      throw failure("make folder", path)
    }
    try makeFolder(String(path[..<slash]))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("make folder", path) }
    return true
  }

  /// Removes a file or a folder with all in it, whatever programs left there; nothing there is fine.
  package static func remove(_ path: String) throws {
    try pass(.remove, "remove", path)
    try removeTree(path)
  }

  /// Names in a folder, sorted by their bytes; a folder that is not there is empty.
  /// - Throws: code `badArtifact` for a name that is not UTF-8, which the message shows with escapes.
  package static func list(_ path: String) throws -> [String] {
    guard let folder = opendir(path) else {
      if errno == ENOENT { return [] }
      throw failure("list", path)
    }
    defer { closedir(folder) }
    do {
      return try FileIO.list(folder, path)
    } catch {
      guard error.code == 0 else { throw failure(error.action, path, error.code) }
      throw PipelineError(.badArtifact, error.description)
    }
  }

  /// Bytes that an ordinary user may still write on a path's file system.
  package static func freeSpace(_ path: String) -> Int? {
    var s = statvfs()
    var path = path
    while statvfs(path, &s) != 0 {
      guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex else { return nil }
      path = String(path[..<slash])
    }
    return Int(clamping: UInt64(s.f_bavail).multipliedSaturated(by: UInt64(s.f_frsize)))
  }

  /// The absolute form of a path, links kept.
  package static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }
}

extension Files.Status {
  fileprivate init(_ s: stat) {
    func nanoseconds(_ t: timespec) -> Int128 { Int128(t.tv_sec) * 1_000_000_000 + Int128(t.tv_nsec) }
    self.init(
      size: Int(s.st_size), modified: nanoseconds(s.st_mtim), changed: nanoseconds(s.st_ctim),
      device: UInt64(s.st_dev), inode: UInt64(s.st_ino), isFolder: s.st_mode & S_IFMT == S_IFDIR,
      isRegular: s.st_mode & S_IFMT == S_IFREG, isExecutable: s.st_mode & S_IXUSR != 0)
  }
}
