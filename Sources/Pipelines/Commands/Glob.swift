import Determinism

/// Patterns of relative paths: `*` and `?` stay inside a name, `**` is any number of folders. A pattern without a slash
/// is one for names anywhere.
struct Glob: Sendable {
  private let parts: [[Character]]

  init(_ pattern: String) {
    let anywhere = pattern.utf8.contains(Glob.slash) ? pattern : "**/" + pattern
    parts = Glob.parts(anywhere)
  }

  private static let slash = UInt8(ascii: "/")

  /// By bytes: a slash with a combining mark behind it ends a name all the same.
  private static func parts(_ path: String) -> [[Character]] {
    path.splitBytes(at: slash).filter { !$0.isEmpty }.map { Array($0) }
  }

  func matches(_ path: String) -> Bool {
    let names = Glob.parts(path)
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
  private static func matchName(_ pattern: [Character], _ name: [Character]) -> Bool {
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
