import CProcesses

/// The file system that a path lies on, by what the kernel calls it.
package struct FileSystem: Sendable {
  /// Such as `ext4` and `nfs`; its number where it is none of those known here.
  package let name: String
  /// Whether it is known to lie in this machine alone.
  package let isLocal: Bool

  package init(of path: String) {
    var path = path
    var number = cp_file_system(path)
    while number < 0, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash > path.startIndex {
      path = String(path[..<slash])
      number = cp_file_system(path)
    }
    let magic = UInt32(truncatingIfNeeded: number)
    if let name = FileSystem.local[magic] {
      (self.name, isLocal) = (name, true)
    } else {
      (name, isLocal) = (FileSystem.shared[magic] ?? "type 0x" + String(magic, radix: 16), false)
    }
  }

  /// Numbers of linux/magic.h, and of file systems that keep their own.
  private static let local: [UInt32: String] = [
    0xEF53: "ext4", 0x5846_5342: "xfs", 0x9123_683E: "btrfs", 0x0102_1994: "tmpfs", 0x794C_7630: "overlay",
    0x2FC1_2FC1: "zfs", 0xF2F5_2010: "f2fs", 0x8584_58F6: "ramfs", 0xCA45_1A4E: "bcachefs", 0x3153_464A: "jfs",
    0x5265_4973: "reiserfs", 0x4D44: "vfat", 0x2011_BAB0: "exfat", 0x7366_746E: "ntfs",
  ]
  private static let shared: [UInt32: String] = [
    0x6969: "nfs", 0x0BD0_0BD0: "lustre", 0x1983_0326: "beegfs", 0x4750_4653: "gpfs", 0x00C3_6400: "ceph",
    0x6573_5546: "fuse", 0xFF53_4D42: "cifs", 0xFE53_4D42: "smb2", 0x517B: "smb", 0x0102_1997: "9p",
    0x5346_414F: "afs", 0x7461_636F: "ocfs2", 0x0116_1970: "gfs2", 0xAAD7_AAEA: "panfs", 0x2003_0528: "orangefs",
    0x786F_4256: "vboxsf",
  ]
}
