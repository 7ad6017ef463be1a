import Determinism

/// Where two trees of plain values differ.
package struct ValueDifference {
  /// Such as `optimizer.rate` or `genes[3]`; empty for the whole value.
  package let path: String
  package let old: String
  package let new: String

  /// In the order of names and indices, at most `limit`.
  package static func all(
    between a: CanonicalValue, and b: CanonicalValue, path: String = "", limit: Int = 20
  ) -> [ValueDifference] {
    if a == b || limit <= 0 { return [] }
    var out = [ValueDifference]()
    switch (a, b) {
    case (.object(let x), .object(let y)):
      for name in Set(x.keys.map { ByteName($0) }).union(y.keys.map { ByteName($0) }).sorted().map(\.text) {
        let inner = path.isEmpty ? name : "\(path).\(name)"
        switch (a[name], b[name]) {
        case (let p?, let q?): out += all(between: p, and: q, path: inner, limit: limit - out.count)
        case (let p?, nil): out.append(ValueDifference(path: inner, old: text(p), new: "absent"))
        case (nil, let q?): out.append(ValueDifference(path: inner, old: "absent", new: text(q)))
        case (nil, nil): break
        }
      }
    case (.array(let x), .array(let y)) where x.count == y.count:
      for i in x.indices { out += all(between: x[i], and: y[i], path: "\(path)[\(i)]", limit: limit - out.count) }
    default:
      out.append(ValueDifference(path: path, old: text(a), new: text(b)))
    }
    return Array(out.prefix(limit))
  }

  private static func text(_ value: CanonicalValue) -> String {
    let text = value.canonicalText
    return text.utf8.count <= 60 ? text : "\(text.prefix(48))..."
  }
}
