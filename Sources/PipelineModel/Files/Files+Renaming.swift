import Determinism
import Foundation
import Glibc

extension Files {
  package static func rename(_ from: String, to: String) throws {
    try pass(.rename, "rename \(from) to", to)
    guard Glibc.rename(from, to) == 0 else { throw failure("rename \(from) to", to) }
  }

  /// Renames to a name that must be free.
  /// - Returns: whether it was.
  package static func renameIfFree(_ from: String, to: String) throws -> Bool {
    try pass(.rename, "rename \(from) to", to)
    if RenameFlags.rename(from, to, RenameFlags.noReplace) { return true }
    if errno == EEXIST { return false }
    guard RenameFlags.isUnsupported(errno) else { throw failure("rename \(from) to", to) }
    // The caller's lock keeps others of ours away; only they write here.
    var s = stat()
    if lstat(to, &s) == 0 { return false }
    guard Glibc.rename(from, to) == 0 else { throw failure("rename \(from) to", to) }
    return true
  }

  /// Lets two files or folders change places, in one step where the file system can.
  package static func exchange(_ a: String, _ b: String) throws {
    try pass(.rename, "replace", b)
    if RenameFlags.rename(a, b, RenameFlags.exchange) { return }
    guard RenameFlags.isUnsupported(errno) else { throw failure("replace", b) }
    let aside = a + ".aside"
    for (from, to) in [(b, aside), (a, b), (aside, a)] {
      guard Glibc.rename(from, to) == 0 else { throw failure("replace", b) }
    }
  }
}

/// `renameat2`, which Linux alone has and which C shows only to GNU programs.
private enum RenameFlags {
  static let noReplace: UInt32 = 1
  static let exchange: UInt32 = 2

  private static let call:
    (@convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32)? =
      {
        guard let symbol = dlsym(nil, "renameat2") else { return nil }
        return unsafeBitCast(
          symbol, to: (@convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32).self)
      }()

  static func rename(_ from: String, _ to: String, _ flag: UInt32) -> Bool {
    guard let call else {
      errno = ENOSYS
      return false
    }
    return call(AT_FDCWD, from, AT_FDCWD, to, flag) == 0
  }

  static func isUnsupported(_ code: Int32) -> Bool { code == EINVAL || code == ENOSYS }
}
