import Determinism

extension TensorFile {
  /// The differences in content: tensors in name order, then attributes; none where the digests are equal.
  ///
  /// Elements are compared by bits: -0 differs from 0, a NaN equals itself.
  /// - Parameter limit: the largest number of differences returned.
  public static func differences(between a: TensorFile, and b: TensorFile, limit: Int = .max) -> [TensorDifference] {
    var out = [TensorDifference]()
    merge(a.names, b.names, limit: limit, into: &out) { i, j in
      TensorDifference(named: a.entries[i].name, a.entries[i].tensor, b.entries[j].tensor)
    }
    out += OtherContent(a.attributes, a.foreign).differences(from: OtherContent(b.attributes, b.foreign))
    return Array(out.prefix(limit))
  }

  /// The same for two files, with two tensors in memory at a time. Data with several names is compared once.
  public static func differences(
    ofFileAt first: String, and second: String, limit: Int = .max
  ) throws(TensorFileError) -> [TensorDifference] {
    struct Pair: Hashable { var first, second: UInt64 }
    let a = try FileReader(FileStorage(reading: first), place: first)
    let b = try FileReader(FileStorage(reading: second), place: second)
    let x = a.outline.datasets.sorted { precedes($0.path, $1.path) }
    let y = b.outline.datasets.sorted { precedes($0.path, $1.path) }
    let limits = ReadingLimits(totalBytes: .max)
    var (left, right) = (a.budget(), b.budget())
    var known = [Pair: TensorDifference?]()
    var out = [TensorDifference]()
    try merge(x.map(\.path), y.map(\.path), limit: limit, into: &out) { i, j throws(TensorFileError) in
      let pair = Pair(first: x[i].address, second: y[j].address)
      if let same = known[pair] { return same?.named(x[i].path) }
      let p = try a.reader(of: x[i], limits: limits, remaining: &left)
      let q = try b.reader(of: y[j], limits: limits, remaining: &right)
      // Elements are read only where they will be compared.
      let difference: TensorDifference? =
        p.type == q.type && p.shape == q.shape
        ? TensorDifference(named: x[i].path, try p.read(), try q.read())
        : .kind(name: x[i].path, first: "\(p.type) \(p.shape)", second: "\(q.type) \(q.shape)")
      known[pair] = .some(difference)
      return difference
    }
    out += OtherContent(a.outline.attributes, a.outline.foreign)
      .differences(from: OtherContent(b.outline.attributes, b.outline.foreign))
    return Array(out.prefix(limit))
  }

  /// Merges two sorted lists of names: compares the common ones, reports the others as missing.
  private static func merge<Failure: Error>(
    _ a: [String], _ b: [String], limit: Int, into out: inout [TensorDifference],
    compare: (Int, Int) throws(Failure) -> TensorDifference?
  ) throws(Failure) {
    var (i, j) = (0, 0)
    while out.count < limit, i < a.count || j < b.count {
      if i < a.count, j < b.count, a[i].hasSameBytes(as: b[j]) {
        if let found = try compare(i, j) { out.append(found) }
        i += 1
        j += 1
      } else if i < a.count, j == b.count || precedes(a[i], b[j]) {
        out.append(.missing(name: a[i], inFirst: false))
        i += 1
      } else {
        out.append(.missing(name: b[j], inFirst: true))
        j += 1
      }
    }
  }
}

/// The content of a file other than tensors, keyed by bytes: names of two files may be only canonically equivalent.
private struct OtherContent {
  private var attributes = [ByteName: CanonicalValue]()
  private var others = [ByteName: String]()

  init(_ root: [String: CanonicalValue], _ foreign: ForeignContent) {
    add(root, of: "", foreign.forms[""] ?? [:])
    for (path, found) in foreign.attributes { add(found, of: path, foreign.forms[path] ?? [:]) }
    for (path, target) in foreign.links { others[ByteName("link '\(path)'")] = "to '\(target)'" }
    for path in foreign.emptyGroups { others[ByteName("group '\(path)'")] = "empty" }
  }

  private mutating func add(_ found: [String: CanonicalValue], of path: String, _ forms: [String: String]) {
    for (name, value) in found {
      let place = path.isEmpty ? name : "\(path): \(name)"
      attributes[ByteName(place)] = value
      if let form = forms[name] { others[ByteName("attribute '\(place)'")] = "\(value.canonicalText) as \(form)" }
    }
  }

  func differences(from other: OtherContent) -> [TensorDifference] {
    var out = [TensorDifference]()
    for name in Set(attributes.keys).union(other.attributes.keys).sorted() {
      let (first, second) = (attributes[name], other.attributes[name])
      if first?.canonicalBytes != second?.canonicalBytes {
        out.append(.attribute(name: name.text, first: first, second: second))
      }
    }
    for name in Set(others.keys).union(other.others.keys).sorted() {
      let (first, second) = (others[name], other.others[name])
      if first.map({ ByteName($0) }) != second.map({ ByteName($0) }) {
        out.append(.object(name: name.text, first: first, second: second))
      }
    }
    return out
  }
}
