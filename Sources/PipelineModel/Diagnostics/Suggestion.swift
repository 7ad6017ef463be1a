import Determinism

/// Finds the name that a user probably meant.
package enum Suggestion {
  /// `; did you mean 'x'?` for the closest of `candidates`, or `; known: a, b` for a short list, or nothing.
  package static func text(for word: String, among candidates: [String]) -> String {
    if let best = closest(to: word, among: candidates) { return "; did you mean '\(best)'?" }
    guard !candidates.isEmpty else { return "" }
    let names = candidates.sortedByBytes()
    let shown = names.prefix(12).map { $0.clipped(to: longest) }.joined(separator: ", ")
    return "; known: \(shown)\(names.count > 12 ? ", ..." : "")"
  }

  /// Longer words, in bytes, are not typing errors; comparing them would take too long.
  private static let longest = 100

  /// The candidate with the fewest edits, if those are few for the length of the word. Ties go to the first by name.
  package static func closest(to word: String, among candidates: [String]) -> String? {
    guard word.utf8.count <= longest else { return nil }
    let limit = max(1, word.count / 3)
    var best: (name: String, distance: Int)?
    for name in candidates.sortedByBytes() where name.utf8.count <= longest {
      let distance = editDistance(word.lowercased(), name.lowercased())
      if distance <= limit, distance < best?.distance ?? .max { best = (name, distance) }
    }
    return best?.name
  }

  /// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
  static func editDistance(_ a: String, _ b: String) -> Int {
    let a = Array(a.utf8)
    let b = Array(b.utf8)
    var beforeLast = [Int]()
    var last = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var d = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { d = min(d, beforeLast[j - 1] + 1) }
        row.append(d)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
