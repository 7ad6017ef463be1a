import Determinism
import Foundation
import Glibc

/// POSIX files with errors that name the file, and writes that survive a crash.
///
/// Every step that changes something passes a fail point, so that tests can crash or fail at each of them.
enum Files {
  /// Larger files are not read into memory in one piece; what a store holds in one piece is far below.
  static let readLimit = 1 << 30

  struct Status: Equatable {
    var size: Int
    /// Nanoseconds since 1970.
    var modified: Int
    /// Time of the last change of the inode; no tool can set it back.
    var changed: Int
    var inode: UInt64
    var isFolder: Bool
    var isRegular: Bool
    /// By its owner.
    var isExecutable: Bool
  }

  static func failure(_ action: String, _ path: String, _ code: Int32 = errno) -> PipelineError {
    let reason = String(cString: strerror(code))
    if code == EFBIG {
      return PipelineError(
        .diskFull, "\(path): cannot \(action): \(reason); files may have \(fileSizeLimit) at most (ulimit -f)")
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

  static func status(_ path: String) throws -> Status {
    guard let status = try optionalStatus(path) else { throw failure("read", path, ENOENT) }
    return status
  }

  /// Nil where nothing is there.
  static func optionalStatus(_ path: String) throws -> Status? {
    var s = stat()
    guard stat(path, &s) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure("read", path)
    }
    return Status(
      size: Int(s.st_size), modified: s.st_mtim.tv_sec * 1_000_000_000 + s.st_mtim.tv_nsec,
      changed: s.st_ctim.tv_sec * 1_000_000_000 + s.st_ctim.tv_nsec, inode: UInt64(s.st_ino),
      isFolder: s.st_mode & S_IFMT == S_IFDIR, isRegular: s.st_mode & S_IFMT == S_IFREG,
      isExecutable: s.st_mode & S_IXUSR != 0)
  }

  /// Whether a symbolic link is there, wherever it leads.
  static func isLink(_ path: String) -> Bool {
    var s = stat()
    return lstat(path, &s) == 0 && s.st_mode & S_IFMT == S_IFLNK
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Passes a fail point.
  private static func pass(_ step: FailPoint.Step, _ action: String, _ path: String) throws {
    if case .fail(let code) = FailPoint.pass(step) { throw failure(action, path, code) }
  }

  /// Opens a file for reading; a pipe or a device in its place is an error, not something to wait for.
  private static func openRegular(_ path: String) throws -> (descriptor: Int32, status: stat) {
    if FailPoint.failsReading(path) { throw failure("read", path, EIO) }
    let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
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
  static func read(_ path: String, limit: Int = readLimit) throws -> [UInt8] {
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
  static func sha256(_ path: String, while keepGoing: () -> Bool = { true }) throws -> Digest {
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
  static func write(_ bytes: [UInt8], to path: String, append: Bool = false) throws {
    let fate = FailPoint.pass(.write, canBreakOff: true)
    if case .fail(let code) = fate { throw failure("write \(bytes.count) bytes", path, code) }
    let fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (append ? O_APPEND : O_TRUNC), 0o644)
    guard fd >= 0 else { throw failure("write", path) }
    defer { close(fd) }
    let end = fate == .breakOff ? bytes.count / 2 : bytes.count
    var done = 0
    while done < end {
      let n = bytes.withUnsafeBytes { Glibc.write(fd, $0.baseAddress! + done, end - done) }
      if n < 0 && errno == EINTR { continue }
      guard n >= 0 else { throw failure("write \(bytes.count - done) more bytes", path) }
      done += n
    }
    if fate == .breakOff { FailPoint.die() }
  }

  /// Brings a file, or the entries of a folder, to the disk.
  static func sync(_ path: String) throws {
    try pass(.sync, "sync", path)
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { throw failure("sync", path) }
    defer { close(fd) }
    // Some file systems can't sync folders and say EINVAL.
    guard fsync(fd) == 0 || errno == EINVAL else { throw failure("sync", path) }
  }

  /// Brings many files or folders to the disk.
  ///
  /// Writing all of them is started before the first is waited for: a file system with a journal then needs one
  /// commit for all, where each `fsync` on its own would cost one.
  /// - Returns: what failed, by its place in `paths`.
  static func sync(all paths: [String]) -> [Int: any Error] {
    var failures = [Int: any Error]()
    for start in stride(from: 0, to: paths.count, by: 256) {
      var open = [(index: Int, descriptor: Int32)]()
      for i in start..<min(start + 256, paths.count) {
        do {
          try pass(.sync, "sync", paths[i])
          let fd = Glibc.open(paths[i], O_RDONLY | O_CLOEXEC)
          guard fd >= 0 else { throw failure("sync", paths[i]) }
          open.append((i, fd))
        } catch {
          failures[i] = error
        }
      }
      if open.count > 1 { for file in open { startWriting(file.descriptor) } }
      for file in open {
        if fsync(file.descriptor) != 0 && errno != EINVAL { failures[file.index] = failure("sync", paths[file.index]) }
        close(file.descriptor)
      }
    }
    return failures
  }

  /// Asks the system to begin writing a file's data, for an `fsync` to wait for; does nothing where it can't be asked.
  static func startWriting(_ descriptor: Int32) {
    let writeFlag: UInt32 = 2  // SYNC_FILE_RANGE_WRITE
    _ = syncFileRange?(descriptor, 0, 0, writeFlag)
  }

  /// `sync_file_range`, which Linux alone has and which C shows only to GNU programs.
  private static let syncFileRange: (@convention(c) (Int32, Int64, Int64, UInt32) -> Int32)? = {
    guard let symbol = dlsym(nil, "sync_file_range") else { return nil }
    return unsafeBitCast(symbol, to: (@convention(c) (Int32, Int64, Int64, UInt32) -> Int32).self)
  }()

  static func rename(_ from: String, to: String) throws {
    try pass(.rename, "rename \(from) to", to)
    guard Glibc.rename(from, to) == 0 else { throw failure("rename \(from) to", to) }
  }

  static func makeReadOnly(_ path: String, executable: Bool = false) throws {
    try pass(.protect, "protect", path)
    guard chmod(path, executable ? 0o555 : 0o444) == 0 else { throw failure("protect", path) }
  }

  /// Makes a symbolic link.
  static func link(_ target: String, at path: String) throws {
    guard symlink(target, path) == 0 else { throw failure("make link", path) }
  }

  /// The first bytes of a file.
  static func head(of path: String, bytes: Int) throws -> [UInt8] {
    try part(of: path, from: 0, bytes: bytes)
  }

  /// The last bytes of a file.
  static func tail(of path: String, bytes: Int) throws -> [UInt8] {
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
  static func makeFolder(_ path: String) throws -> Bool {
    try pass(.makeFolder, "make folder", path)
    if mkdir(path, 0o755) == 0 { return true }
    if errno == EEXIST { return false }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      throw failure("make folder", path)
    }
    try makeFolder(String(path[..<slash]))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("make folder", path) }
    return true
  }

  /// Removes a file or a folder with all in it; nothing there is fine.
  static func remove(_ path: String) throws {
    try pass(.remove, "remove", path)
    if unlink(path) == 0 || errno == ENOENT { return }
    guard errno == EISDIR || errno == EPERM else { throw failure("remove", path) }
    _ = chmod(path, 0o700)  // A program may have left folders that nobody may change.
    for name in try list(path) { try remove(path + "/" + name) }
    guard rmdir(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
  }

  /// Names in a folder, sorted by their bytes; a folder that is not there is empty.
  static func list(_ path: String) throws -> [String] {
    guard let folder = opendir(path) else {
      if errno == ENOENT { return [] }
      throw failure("list", path)
    }
    defer { closedir(folder) }
    var names = [String]()
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(validatingCString: $0) }
      }
      guard let name else { throw PipelineError(.badArtifact, "\(path): a file name is not UTF-8") }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Relative paths of all files below a folder.
  /// - Parameter followsLinks: whether links to files and folders count as what they lead to; else they are refused.
  static func walk(
    _ root: String, below prefix: String = "", followsLinks: Bool = true, depth: Int = 0
  ) throws -> [String] {
    guard depth < 64 else {
      throw PipelineError(.badArtifact, "\(root)/\(prefix): folders too deep; a link in a circle?")
    }
    var out = [String]()
    for name in try list(prefix.isEmpty ? root : root + "/" + prefix) {
      let path = prefix.isEmpty ? name : prefix + "/" + name
      guard !name.contains("\n") else {
        throw PipelineError(.badArtifact, "\(root)/\(prefix): a file name holds a line break")
      }
      guard followsLinks || !isLink(root + "/" + path) else {
        throw PipelineError(
          .badArtifact, "\(root)/\(path) is a link, which no artifact can hold; copy what it leads to")
      }
      let status = try status(root + "/" + path)
      if status.isFolder {
        out += try walk(root, below: path, followsLinks: followsLinks, depth: depth + 1)
      } else if status.isRegular {
        out.append(path)
      } else {
        throw PipelineError(.badArtifact, "\(root)/\(path): neither a file nor a folder")
      }
    }
    return out
  }

  /// Relative paths of the files below a folder, without those whose name, or a folder's, begins with a dot. Links are
  /// refused: what they lead to belongs to somebody else.
  /// - Parameter except: a folder to leave out.
  static func plainFiles(below root: String, except: String, _ prefix: String = "", depth: Int = 0) throws -> [String] {
    guard depth < 64 else { throw PipelineError(.badArtifact, "\(root)/\(prefix): folders too deep") }
    var out = [String]()
    for name in try list(prefix.isEmpty ? root : root + "/" + prefix) where !name.hasPrefix(".") {
      let path = prefix.isEmpty ? name : prefix + "/" + name
      if root + "/" + path == except { continue }
      guard !name.contains("\n") else {
        throw PipelineError(.badArtifact, "\(root)/\(prefix): a file name holds a line break")
      }
      switch try type(root + "/" + path) {
      case .file: out.append(path)
      case .folder: out += try plainFiles(below: root, except: except, path, depth: depth + 1)
      case nil: break
      case .link, .other:
        throw PipelineError(.badArtifact, "\(root)/\(path): neither a file nor a folder; links are not followed")
      }
    }
    return out
  }

  /// Bytes that an ordinary user may still write on a path's file system.
  static func freeSpace(_ path: String) -> Int? {
    var s = statvfs()
    var path = path
    while statvfs(path, &s) != 0 {
      guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return nil }
      path = String(path[..<slash])
    }
    return Int(s.f_bavail) * Int(s.f_frsize)
  }

  /// The absolute form of a path, links kept.
  static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }
}
