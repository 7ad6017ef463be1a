import Determinism

/// Paths that a user names below some folder.
enum RelativePath {
  /// What is wrong with a path; nil where it can't lead out of its folder.
  static func problem(_ path: String) -> String? {
    if path.isEmpty { return "a path is empty" }
    if path.utf8.count > 4096 { return "a path is longer than 4096 bytes" }
    if path.startsWithBytes(of: "/") { return "'\(path)' is absolute; expected a path below the working folder" }
    if path.utf8.contains(0) || path.utf8.contains(0x0A) { return "a path holds a line break or a zero byte" }
    for part in path.splitBytes(at: UInt8(ascii: "/")) {
      if part.isEmpty || part == "." || part == ".." { return "'\(path)': '\(part)' can't be part of such a path" }
      if part.utf8.count > 255 { return "'\(path)': a name is longer than 255 bytes" }
    }
    return nil
  }

  /// Whether one path is the other or lies below it.
  static func contains(_ folder: String, _ path: String) -> Bool {
    path.hasSameBytes(as: folder) || path.startsWithBytes(of: folder + "/")
  }
}
