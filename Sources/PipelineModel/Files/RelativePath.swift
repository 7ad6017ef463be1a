import Determinism

/// Paths that a user names below some folder. All of it by bytes: to Swift a slash with a combining mark behind it is
/// none.
package enum RelativePath {
  private static let slash = UInt8(ascii: "/")

  /// What is wrong with a path; nil where it can't lead out of its folder.
  package static func problem(_ path: String) -> String? {
    if path.isEmpty { return "a path is empty" }
    if path.utf8.count > 4096 { return "a path is longer than 4096 bytes" }
    if path.utf8.first == slash { return "'\(path)' is absolute; expected a path below the working folder" }
    if path.utf8.contains(0) || path.utf8.contains(0x0A) { return "a path holds a line break or a zero byte" }
    for part in path.splitBytes(at: slash) {
      if part.isEmpty || part.hasSameBytes(as: ".") || part.hasSameBytes(as: "..") {
        return "'\(path)': '\(part)' can't be part of a relative path"
      }
      if part.utf8.count > 255 { return "'\(path)': a name is longer than 255 bytes" }
    }
    return nil
  }

  /// Whether one path is the other or lies below it.
  package static func contains(_ folder: String, _ path: String) -> Bool {
    let (folder, path) = (folder.utf8, path.utf8)
    guard path.starts(with: folder) else { return false }
    return path.count == folder.count || folder.last == slash || path.dropFirst(folder.count).first == slash
  }

  /// The folder that a path lies in; nil for a bare name.
  package static func parent(_ path: String) -> String? {
    guard let at = path.utf8.lastIndex(of: slash) else { return nil }
    return at == path.startIndex ? "/" : String(path[..<at])
  }

  /// The last part of a path.
  /// `a/b` of `./a/b`.
  package static func withoutDot(_ path: String) -> String {
    path.startsWithBytes(of: "./") ? String(decoding: path.utf8.dropFirst(2), as: UTF8.self) : path
  }

  package static func name(_ path: String) -> String {
    guard let at = path.utf8.lastIndex(of: slash) else { return path }
    return String(decoding: path.utf8[path.utf8.index(after: at)...], as: UTF8.self)
  }
}
