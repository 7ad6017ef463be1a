import Determinism
import Foundation
import Glibc

extension Files {
  package static func rename(_ from: String, to: String) throws {
    try pass(.rename, "rename \(from) to", to)
    let mine = inode(from)
    guard Glibc.rename(from, to) == 0 else {
      let code = errno
      if code == ENOENT, isMoved(mine, from, to) { return }
      throw failure("rename \(from) to", to, code)
    }
  }

  /// Whether a rename that failed has been done: a client of a network file system that got no answer asks again, and
  /// the server finds nothing left to rename.
  private static func isMoved(_ mine: Inode?, _ from: String, _ to: String) -> Bool {
    mine != nil && inode(to) == mine && inode(from) != mine
  }

  private struct Inode: Equatable {
    let device: UInt64
    let number: UInt64
    let isFolder: Bool
  }

  private static func inode(_ path: String) -> Inode? {
    var s = stat()
    guard lstat(path, &s) == 0 else { return nil }
    return Inode(device: UInt64(s.st_dev), number: UInt64(s.st_ino), isFolder: s.st_mode & S_IFMT == S_IFDIR)
  }

  /// Gives a file a second name, which must be free. Where many machines share a file system, this alone tells on all
  /// of them who was first.
  /// - Returns: whether it was.
  package static func linkIfFree(_ from: String, to: String) throws -> Bool {
    try pass(.rename, "link \(from) as", to)
    if Glibc.link(from, to) == 0 { return true }
    let code = errno
    guard code == EEXIST else { throw failure("link \(from) as", to, code) }
    // The first answer may have been lost on its way.
    return inode(from).map { $0 == inode(to) } ?? false
  }

  /// Renames to a name that must be free.
  /// - Returns: whether it was.
  package static func renameIfFree(_ from: String, to: String) throws -> Bool {
    try pass(.rename, "rename \(from) to", to)
    let mine = inode(from)
    if RenameFlags.rename(from, to, RenameFlags.noReplace) { return true }
    var code = errno
    guard RenameFlags.isUnsupported(code) else { return try settle(code) }
    // Network file systems have no such call. A folder replaces none that has something in it, and a second name for a
    // file replaces nothing.
    if mine?.isFolder == true {
      if Glibc.rename(from, to) == 0 { return true }
      code = errno
      return code == ENOTEMPTY ? false : try settle(code)
    }
    if Glibc.link(from, to) == 0 {
      unlink(from)
      return true
    }
    code = errno
    if code == EEXIST, mine != nil, inode(to) == mine {
      unlink(from)
      return true
    }
    guard code == EPERM || code == EOPNOTSUPP || code == ENOSYS else { return try settle(code) }
    // File systems without links. The caller's lock keeps others of ours away; only they write here.
    if inode(to) != nil { return false }
    guard Glibc.rename(from, to) == 0 else { throw failure("rename \(from) to", to) }
    return true

    func settle(_ code: Int32) throws -> Bool {
      // An answer may have been lost on its way: the second attempt then finds the first one's work.
      if code == ENOENT || code == EEXIST, isMoved(mine, from, to) { return true }
      if code == EEXIST { return false }
      throw failure("rename \(from) to", to, code)
    }
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
