import Determinism
import Glibc
import PipelineModel

/// Folders that hold the programs and libraries of the system, and nobody's files.
enum SystemFolders {
  enum Kind { case folder, link(String) }

  static let found: [(path: String, kind: Kind)] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store",
  ].compactMap { path in
    var s = stat()
    guard lstat(path, &s) == 0 else { return nil }
    if s.st_mode & S_IFMT == S_IFDIR { return (path, .folder) }
    // On merged systems `/bin` is a link to `usr/bin`.
    guard s.st_mode & S_IFMT == S_IFLNK, let link = PathTrail(path)?.links.first else { return nil }
    return (path, .link(link.target))
  }

  static let all = found.map(\.path)

  /// What programs read below `/etc`, where it is there: no secrets, nothing of the user.
  static let settings: [String] = {
    let plain = [
      "alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "locale.alias", "localtime", "magic",
      "magic.mime", "matplotlibrc", "mime.types", "OpenCL", "papersize", "protocols", "R", "services", "texmf",
      "timezone",
    ]
    let families = ["ImageMagick", "java-", "octave"]
    let names = (try? Files.list("/etc")) ?? []
    return names.filter { name in
      plain.contains { $0.hasSameBytes(as: name) } || families.contains { name.startsWithBytes(of: $0) }
    }.map { "/etc/" + $0 }
  }()

  /// The small files among them, with what they hold: handing them over is cheaper than mounting them.
  static let smallSettings: [(path: String, bytes: [UInt8])] = settings.compactMap { path in
    guard let bytes = try? FileIO.read(path, limit: 1 << 17), !path.hasSameBytes(as: "/etc/ld.so.cache") else {
      return nil
    }
    return (path, bytes)
  }

  static func contain(_ path: String) -> Bool {
    (all + settings).contains { RelativePath.contains($0, path) }
  }
}
