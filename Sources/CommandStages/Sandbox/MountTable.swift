import Determinism
import Glibc
import PipelineModel

/// What is mounted where, as the kernel tells it: one folder may be seen at several places.
struct MountTable {
  struct Mount: Equatable {
    /// Major and minor number of the file system.
    var device: String
    /// The folder, or file, of that file system that is shown.
    var root: String
    var point: String
  }

  let mounts: [Mount]

  init(mounts: [Mount]) { self.mounts = mounts }

  /// Of this process, when it first looks.
  static let here = MountTable(text: contents("/proc/self/mountinfo"))

  /// Lines `36 35 98:0 /root /point options ...`, where spaces and the like are octal.
  init(text: [UInt8]) {
    mounts = text.split(separator: 0x0A).compactMap { line in
      let fields = line.split(separator: 0x20, maxSplits: 5)
      guard fields.count >= 5 else { return nil }
      return Mount(
        device: String(decoding: fields[2], as: UTF8.self), root: MountTable.plain(fields[3]),
        point: MountTable.plain(fields[4]))
    }
  }

  private static func plain(_ field: ArraySlice<UInt8>) -> String {
    var out = [UInt8]()
    var rest = field
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      guard byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) else {
        out.append(byte)
        continue
      }
      out.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 0x30) }))
      rest = rest.dropFirst(3)
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// A file whose size the system does not tell.
  private static func contents(_ path: String) -> [UInt8] {
    guard let file = try? Descriptor.open(path, O_RDONLY, "read") else { return [] }
    var out = [UInt8]()
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let n = buffer.withUnsafeMutableBytes { b in FileIO.retrying { read(file.number, b.baseAddress!, b.count) } }
      guard n > 0 else { return out }
      out += buffer[..<n]
    }
  }

  /// All places at which a folder, or a part of it, can be seen, its own among them.
  /// - Parameter folder: absolute, without links.
  func places(of folder: String) -> [String] {
    var home: Mount?
    for mount in mounts where RelativePath.contains(mount.point, folder) {
      // Of equal points the last is seen.
      if mount.point.utf8.count >= home?.point.utf8.count ?? 0 { home = mount }
    }
    guard let home else { return [folder] }
    let inner = MountTable.joined(home.root, MountTable.rest(of: folder, below: home.point))
    var places = [folder]
    for mount in mounts where mount.device == home.device {
      if RelativePath.contains(mount.root, inner) {
        places.append(MountTable.joined(mount.point, MountTable.rest(of: inner, below: mount.root)))
      } else if RelativePath.contains(inner, mount.root) {
        places.append(mount.point)
      }
    }
    var seen = Set<ByteName>()
    return places.filter { seen.insert(ByteName($0)).inserted }
  }

  private static func rest(of path: String, below folder: String) -> String {
    let rest = path.utf8.dropFirst(folder.utf8.count)
    return String(decoding: rest.drop { $0 == UInt8(ascii: "/") }, as: UTF8.self)
  }

  private static func joined(_ folder: String, _ rest: String) -> String {
    rest.isEmpty ? folder : folder.utf8.last == UInt8(ascii: "/") ? folder + rest : "\(folder)/\(rest)"
  }
}
