import Foundation

/// A file that is written piece by piece, for content that should not be in memory as a whole.
public final class FileStream {
  public let path: String
  private var descriptor: Int32

  /// Creates or truncates the file.
  public init(_ path: String) throws(FileFailure) {
    self.path = path
    descriptor = FileIO.retrying { open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_TRUNC, 0o644) }
    guard descriptor >= 0 else { throw FileFailure("write", path) }
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  /// Appends all bytes.
  public func write(_ bytes: [UInt8]) throws(FileFailure) {
    let code = bytes.withUnsafeBytes { FileIO.writeAll($0, to: descriptor) }
    guard code == 0 else { throw FileFailure("write \(bytes.count) bytes", path, code: code) }
  }

  /// Closes the file. Only then are the writes known to have succeeded: network file systems may report a full disk
  /// only on close.
  public func close() throws(FileFailure) {
    let result = Glibc.close(descriptor)
    descriptor = -1
    guard result == 0 || errno == EINTR else { throw FileFailure("write", path) }
  }
}
