import CProcesses
import Determinism
import Glibc

extension Files {
  package enum FileType: Equatable { case file, folder, link, other }

  /// What lies at a path itself, links not followed; nil for nothing.
  package static func type(_ path: String) throws -> FileType? {
    var s = stat()
    guard lstat(path, &s) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure("read", path)
    }
    return switch s.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .folder
    case S_IFLNK: .link
    default: .other
    }
  }

  /// Copies a file, read-only, executable if it was; where the file system can, without moving the bytes. The copy is a
  /// new file with one name, which nobody else has open.
  /// - Parameters:
  ///   - followsLinks: whether a link as the last part of `from` is followed, or an error.
  ///   - expecting: the SHA-256 of the bytes that the copy must have.
  package static func copy(_ from: String, to: String, followsLinks: Bool = true, expecting: Digest? = nil) throws {
    let flags = O_RDONLY | O_NONBLOCK | (followsLinks ? 0 : O_NOFOLLOW)
    let source = try Descriptor.open(from, flags, "read")
    var s = stat()
    guard fstat(source.number, &s) == 0 else { throw failure("read", from) }
    guard s.st_mode & S_IFMT == S_IFREG else { throw PipelineError(.io, "\(from): not a file") }
    let number = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, s.st_mode & S_IXUSR != 0 ? 0o555 : 0o444)
    guard number >= 0 else { throw failure("write", to) }
    let target = Descriptor(number)
    try fill(target, to, from: source, from)
    guard let expecting, try sha256(to) != expecting else { return }
    throw PipelineError(.badArtifact, "\(from) changed while it was in use; nothing was stored. Run again")
  }

  private static func fill(_ target: Descriptor, _ to: String, from source: Descriptor, _ from: String) throws {
    // FICLONE of linux/fs.h, a macro that Swift doesn't see: both share the bytes until one is written.
    if ioctl(target.number, 0x4004_9409, source.number) == 0 { return }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let n = FileIO.retrying { Glibc.read(source.number, buffer.baseAddress!, buffer.count) }
      guard n >= 0 else { throw failure("read", from) }
      if n == 0 { return }
      let code = FileIO.writeAll(UnsafeRawBufferPointer(rebasing: buffer[0..<n]), to: target.number)
      guard code == 0 else { throw failure("write \(n) more bytes", to, code) }
    }
  }
}
