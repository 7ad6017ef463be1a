import Determinism

/// Patterns of relative paths: `*` and `?` stay inside a name, `**` is any number of folders. A pattern without a slash
/// is one for names anywhere. `?` is one scalar of Unicode, and scalars match only themselves.
struct Glob: Sendable {
  private let parts: [[Unicode.Scalar]]

  init(_ pattern: String) {
    parts = Glob.names(pattern.utf8.contains(UInt8(ascii: "/")) ? pattern : "**/" + pattern)
  }

  private static func names(_ path: String) -> [[Unicode.Scalar]] {
    path.splitBytes(at: UInt8(ascii: "/")).filter { !$0.isEmpty }.map { Array($0.unicodeScalars) }
  }

  func matches(_ path: String) -> Bool {
    let names = Glob.names(path)
    // Which numbers of names the parts so far can stand for.
    var reached = [Bool](repeating: false, count: names.count + 1)
    reached[0] = true
    for part in parts {
      var next = [Bool](repeating: false, count: names.count + 1)
      if part == ["*", "*"] {
        if let first = reached.firstIndex(of: true) { for i in first...names.count { next[i] = true } }
      } else {
        for i in names.indices where reached[i] { next[i + 1] = Glob.matchName(part, names[i]) }
      }
      reached = next
    }
    return reached[names.count]
  }

  /// Goes back to the last star only, so it takes time in the product of both lengths at most.
  private static func matchName(_ pattern: [Unicode.Scalar], _ name: [Unicode.Scalar]) -> Bool {
    var (p, n) = (0, 0)
    var star: (pattern: Int, name: Int)?
    while n < name.count {
      if p < pattern.count, pattern[p] == "*" {
        star = (p, n)
        p += 1
      } else if p < pattern.count, pattern[p] == "?" || pattern[p] == name[n] {
        p += 1
        n += 1
      } else if let last = star {
        p = last.pattern + 1
        n = last.name + 1
        star = (last.pattern, n)
      } else {
        return false
      }
    }
    return pattern[p...].allSatisfy { $0 == "*" }
  }
}
