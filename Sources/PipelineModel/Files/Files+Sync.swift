import Determinism
import Foundation
import Glibc

extension Files {
  /// Brings a file, or the entries of a folder, to the disk.
  package static func sync(_ path: String) throws {
    try pass(.sync, "sync", path)
    let fd = FileIO.retrying { open(path, O_RDONLY | O_CLOEXEC) }
    guard fd >= 0 else { throw failure("sync", path) }
    defer { close(fd) }
    // Some file systems can't sync folders and say EINVAL.
    guard FileIO.retrying({ fsync(fd) }) == 0 || errno == EINVAL else { throw failure("sync", path) }
  }

  /// Descriptors that a sync holds at a time: far below the limits that users set.
  private static let syncedAtOnce = 64

  /// Brings many files or folders to the disk.
  ///
  /// Writing all of them is started before the first is waited for: a file system with a journal then needs one
  /// commit for all, where each `fsync` on its own would cost one.
  /// - Returns: what failed, by its place in `paths`.
  package static func sync(all paths: [String]) -> [Int: any Error] {
    var failures = [Int: any Error]()
    var open = [(index: Int, descriptor: Int32)]()
    func finish() {
      if open.count > 1 { for file in open { startWriting(file.descriptor) } }
      for file in open {
        if FileIO.retrying({ fsync(file.descriptor) }) != 0 && errno != EINVAL {
          failures[file.index] = failure("sync", paths[file.index])
        }
        close(file.descriptor)
      }
      open = []
    }
    for (i, path) in paths.enumerated() {
      if open.count == syncedAtOnce { finish() }
      do {
        try pass(.sync, "sync", path)
        var fd = FileIO.retrying { Glibc.open(path, O_RDONLY | O_CLOEXEC) }
        if fd < 0, errno == EMFILE, !open.isEmpty {
          finish()
          fd = FileIO.retrying { Glibc.open(path, O_RDONLY | O_CLOEXEC) }
        }
        guard fd >= 0 else { throw failure("sync", path) }
        open.append((i, fd))
      } catch {
        failures[i] = error
      }
    }
    finish()
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
}
