import Determinism
import Markup

/// A value of JSON as tables that people can read.
struct ValueTable {
  static let mostRows = 200
  /// Longer tables are shown on demand.
  static let foldedRows = 10
  private static let mostColumns = 12

  let subject: ReportSubject
  /// The name of the artifact, such as `quality.quality`.
  let name: String
  let digest: Digest

  /// Tables of all numbers and words in a value: groups of equal form side by side, all else one below the other.
  func tables(of value: CanonicalValue) -> [MarkupNode] {
    var nodes = [MarkupNode]()
    var single = [(String, CanonicalValue)]()
    collect(value, path: "", single: &single, nodes: &nodes)
    if !single.isEmpty {
      var table = DataTable(
        name, caption: subject.source(name, digest), columns: [.init("name"), .init("value", isNumber: true)])
      for (path, leaf) in single.prefix(ValueTable.mostRows) {
        table.rows.append([[HTML.text(path)], ValueTable.cell(leaf)])
      }
      table.omitted = max(0, single.count - ValueTable.mostRows)
      // After what stands for the whole, such as qualities of all, things and stuff.
      nodes.insert(table.node, at: value.objectValue.map { ValueTable.groups(of: $0).count } ?? 0)
    }
    return nodes
  }

  private func collect(
    _ value: CanonicalValue, path: String, single: inout [(String, CanonicalValue)], nodes: inout [MarkupNode]
  ) {
    guard single.count + nodes.count < 10 * ValueTable.mostRows else { return }
    if let matrix = matrix(value) {
      let table = table(matrix, path: path)
      let isShort = table.rows.count <= ValueTable.foldedRows
      nodes.append(
        isShort ? table.node : HTML.details([HTML.text("\(table.label): \(matrix.rows.count) rows")], [table.node]))
      return
    }
    switch value {
    case .object(let members):
      let groups = ValueTable.groups(of: members)
      for group in groups {
        nodes.append(table(group, path: path).node)
      }
      let grouped = Set(groups.flatMap { $0.rows.map { ByteName($0.name) } })
      for name in ValueTable.inOrder(members.keys) where !grouped.contains(ByteName(name)) {
        collect(members[name]!, path: path.isEmpty ? name : "\(path).\(name)", single: &single, nodes: &nodes)
      }
    case .array(let values):
      let isShort = values.count <= 16 && values.allSatisfy { ValueTable.isLeaf($0) }
      if isShort {
        single.append((path, .string(values.map { HTML.shown($0) }.joined(separator: ", "))))
      } else {
        for (i, value) in values.enumerated().prefix(ValueTable.mostRows) {
          collect(value, path: "\(path)[\(i)]", single: &single, nodes: &nodes)
        }
      }
    default: single.append((path, value))
    }
  }

  // MARK: Groups of equal form

  private struct Matrix {
    /// Each with its name, or its number in an array.
    var rows: [(name: String, members: [String: CanonicalValue])]
    var columns: [String]
  }

  /// Several objects whose members are numbers and words, mostly the same.
  private func matrix(_ value: CanonicalValue) -> Matrix? {
    let rows: [(String, CanonicalValue)]
    switch value {
    case .object(let members): rows = ValueTable.inOrder(members.keys).map { ($0, members[$0]!) }
    case .array(let values): rows = values.enumerated().map { ("\($0.offset)", $0.element) }
    default: return nil
    }
    guard rows.count >= 2 else { return nil }
    var columns = Set<String>()
    var found = [(String, [String: CanonicalValue])]()
    for (name, value) in rows {
      guard let members = value.objectValue, !members.isEmpty, members.values.allSatisfy(ValueTable.isLeaf) else {
        return nil
      }
      columns.formUnion(members.keys)
      found.append((name, members))
    }
    guard columns.count <= ValueTable.mostColumns else { return nil }
    return Matrix(rows: found, columns: ValueTable.inOrder(columns))
  }

  private func table(_ matrix: Matrix, path: String) -> DataTable {
    let columns = matrix.columns.map { name in
      DataTable.Column(
        name, isNumber: matrix.rows.allSatisfy { $0.members[name].map { $0.numberValue != nil } ?? true })
    }
    var table = DataTable(
      path.isEmpty ? name : "\(name), \(path)",
      caption: (path.isEmpty ? [] : [HTML.text("\(path), from ")]) + subject.source(name, digest),
      columns: [.init("")] + columns)
    table.rows = matrix.rows.prefix(ValueTable.mostRows).map { row in
      [[HTML.text(row.name)]] + matrix.columns.map { row.members[$0].map(ValueTable.cell) ?? [] }
    }
    table.omitted = max(0, matrix.rows.count - ValueTable.mostRows)
    table.isSortable = true
    table.columns[0].title = "name"
    return table
  }

  /// Members that are objects of the same few numbers and words, such as qualities of all, things and stuff.
  private static func groups(of members: [String: CanonicalValue]) -> [Matrix] {
    var found = [Matrix]()
    for name in inOrder(members.keys) {
      guard let inner = members[name]!.objectValue, !inner.isEmpty, inner.count <= mostColumns,
        inner.values.allSatisfy(isLeaf)
      else { continue }
      let columns = inOrder(inner.keys)
      if let i = found.firstIndex(where: { $0.columns.elementsEqual(columns) { $0.hasSameBytes(as: $1) } }) {
        found[i].rows.append((name, inner))
      } else {
        found.append(Matrix(rows: [(name, inner)], columns: columns))
      }
    }
    return found.filter { $0.rows.count >= 2 }
  }

  /// `name` first, then numbers by their size, then words by their bytes.
  private static func inOrder(_ names: some Sequence<String>) -> [String] {
    func rank(_ name: String) -> (Int, Int) {
      name == "name" ? (0, 0) : Int(name).map { (1, $0) } ?? (2, 0)
    }
    return names.map { ($0, rank($0)) }.sorted { a, b in
      a.1 == b.1 ? a.0.precedesInBytes(b.0) : a.1 < b.1
    }.map(\.0)
  }

  // MARK: Leaves

  static func isLeaf(_ value: CanonicalValue) -> Bool {
    switch value {
    case .object, .array: false
    default: true
    }
  }

  static func cell(_ value: CanonicalValue) -> [MarkupNode] {
    switch value {
    case .integer, .number: [HTML.number(value)]
    case .string(let text): [HTML.text(text.clipped(to: 300))]
    case .bool(let flag): [.text(flag ? "true" : "false")]
    default: []
    }
  }

  /// All numbers in a value by their paths, the less deep ones first.
  static func numbers(of value: CanonicalValue) -> [(name: String, value: CanonicalValue)] {
    var found = [(depth: Int, name: String, value: CanonicalValue)]()
    func visit(_ value: CanonicalValue, _ path: String, _ depth: Int) {
      guard found.count < mostRows, depth < 8 else { return }
      switch value {
      case .integer, .number: found.append((depth, path, value))
      case .object(let members):
        for name in members.keys.sortedByBytes() {
          visit(members[name]!, path.isEmpty ? name : "\(path).\(name)", depth + 1)
        }
      default: break
      }
    }
    visit(value, "", 0)
    return found.enumerated().sorted { ($0.element.depth, $0.offset) < ($1.element.depth, $1.offset) }
      .map { ($0.element.name, $0.element.value) }
  }
}
