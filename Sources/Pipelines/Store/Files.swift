import Determinism
import Foundation
import Glibc

/// POSIX files with errors that name the file, and writes that survive a crash.
enum Files {
  struct Status: Equatable {
    var size: Int
    /// Nanoseconds since 1970.
    var modified: Int
    /// Time of the last change of the inode; no tool can set it back.
    var changed: Int
    var inode: UInt64
    var isFolder: Bool
    var isRegular: Bool
  }

  static func failure(_ action: String, _ path: String, _ code: Int32 = errno) -> PipelineError {
    let reason = String(cString: strerror(code))
    guard code == ENOSPC || code == EDQUOT else { return PipelineError(.io, "\(path): cannot \(action): \(reason)") }
    let free = freeSpace(path).map { "; \($0) bytes are free" } ?? ""
    return PipelineError(.diskFull, "\(path): cannot \(action): \(reason)\(free). Free some space and run again")
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
      isFolder: s.st_mode & S_IFMT == S_IFDIR, isRegular: s.st_mode & S_IFMT == S_IFREG)
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func read(_ path: String) throws -> [UInt8] {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { throw failure("read", path) }
    defer { close(fd) }
    var s = stat()
    guard fstat(fd, &s) == 0 else { throw failure("read", path) }
    guard s.st_mode & S_IFMT == S_IFREG else { throw PipelineError(.io, "\(path): not a file") }
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

  /// SHA-256 of a file's bytes, read in pieces of 1 MiB.
  static func sha256(_ path: String, while keepGoing: () -> Bool = { true }) throws -> Digest {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { throw failure("read", path) }
    defer { close(fd) }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
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

  /// Creates or replaces a file, without making it durable.
  static func write(_ bytes: [UInt8], to path: String, append: Bool = false) throws {
    let fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0o644)
    guard fd >= 0 else { throw failure("write", path) }
    defer { close(fd) }
    var done = 0
    while done < bytes.count {
      let n = bytes.withUnsafeBytes { Glibc.write(fd, $0.baseAddress! + done, $0.count - done) }
      if n < 0 && errno == EINTR { continue }
      guard n >= 0 else { throw failure("write \(bytes.count - done) more bytes", path) }
      done += n
    }
  }

  /// Brings a file, or the entries of a folder, to the disk.
  static func sync(_ path: String) throws {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    guard fd >= 0 else { throw failure("sync", path) }
    defer { close(fd) }
    // Some file systems can't sync folders and say EINVAL.
    guard fsync(fd) == 0 || errno == EINVAL else { throw failure("sync", path) }
  }

  /// Brings many files to the disk, several at a time.
  static func sync(all paths: [String]) throws {
    let failures = Parallel.map(paths.count) { i -> (any Error)? in
      do {
        try sync(paths[i])
        return nil
      } catch {
        return error
      }
    }
    if let first = failures.compactMap(\.self).first { throw first }
  }

  static func rename(_ from: String, to: String) throws {
    guard Glibc.rename(from, to) == 0 else { throw failure("rename \(from) to", to) }
  }

  static func makeReadOnly(_ path: String) throws {
    guard chmod(path, 0o444) == 0 else { throw failure("protect", path) }
  }

  /// Makes a folder and those above it.
  static func makeFolder(_ path: String) throws {
    if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
      throw failure("make folder", path)
    }
    try makeFolder(String(path[..<slash]))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("make folder", path) }
  }

  /// Removes a file or a folder with all in it; nothing there is fine.
  static func remove(_ path: String) throws {
    if unlink(path) == 0 || errno == ENOENT { return }
    guard errno == EISDIR || errno == EPERM else { throw failure("remove", path) }
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

  /// Relative paths of all files below a folder. Links to files and folders are followed.
  static func walk(_ root: String, below prefix: String = "", depth: Int = 0) throws -> [String] {
    guard depth < 64 else {
      throw PipelineError(.badArtifact, "\(root)/\(prefix): folders too deep; a link in a circle?")
    }
    var out = [String]()
    for name in try list(prefix.isEmpty ? root : root + "/" + prefix) {
      let path = prefix.isEmpty ? name : prefix + "/" + name
      guard !name.contains("\n") else {
        throw PipelineError(.badArtifact, "\(root)/\(prefix): a file name holds a line break")
      }
      let status = try status(root + "/" + path)
      if status.isFolder {
        out += try walk(root, below: path, depth: depth + 1)
      } else if status.isRegular {
        out.append(path)
      } else {
        throw PipelineError(.badArtifact, "\(root)/\(path): neither a file nor a folder")
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
