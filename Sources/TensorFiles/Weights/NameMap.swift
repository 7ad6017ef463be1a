import Determinism

/// Maps tensor names of another program's file to ours.
///
/// One rule per line, `FROM -> TO`; `#` starts a comment. In `FROM`, `{name}` matches one or more characters other than a
/// dot, and a leading `**` matches anything; in `TO`, `{name}` inserts what it matched. `-` as `TO` skips the tensor. The
/// first rule that matches is applied; a tensor that no rule matches and a rule that matches no tensor are errors.
///
///     backbone.layer{stage}.{block}.conv1.weight -> body/stage{stage}/{block}/reduce/weight
///     **.num_batches_tracked -> -
public struct NameMap: Sendable {
  private struct Rule: Sendable {
    let line: Int
    let from: NamePattern
    /// Nil skips the tensor.
    let to: [NamePattern.Piece]?
  }

  /// The largest length of a line in bytes.
  private static let maximalLine = 1 << 14

  private let rules: [Rule]
  private let place: String

  /// Reads the text of a map; its lines may end in LF or CR LF.
  /// - Throws: `TensorFileError` with the line.
  public init(_ text: String, place: String) throws(TensorFileError) { try self.init(Array(text.utf8), place: place) }

  /// Reads the bytes of a map, as for text.
  public init(_ bytes: [UInt8], place: String) throws(TensorFileError) {
    self.place = place
    var rules: [Rule] = []
    for (index, line) in TextLines.split(bytes).enumerated() {
      if let rule = try NameMap.rule(line, number: index + 1, at: "\(place):\(index + 1)") { rules.append(rule) }
    }
    guard !rules.isEmpty else { throw TensorFileError(.badName, at: place, "contains no rule 'FROM -> TO'") }
    self.rules = rules
  }

  /// The rule of a line; nil for an empty line or a comment.
  private static func rule(
    _ line: ArraySlice<UInt8>, number: Int, at place: String
  ) throws(TensorFileError) -> Rule? {
    guard line.count <= maximalLine else {
      throw TensorFileError(
        .badName, at: place, "the line has \(line.count) bytes; at most \(maximalLine) are allowed")
    }
    let rule = trimmed(line.prefix { $0 != UInt8(ascii: "#") })
    if rule.isEmpty { return nil }
    guard String(validating: rule, as: UTF8.self) != nil else {
      throw TensorFileError(.badName, at: place, "the line is not UTF-8")
    }
    let arrows = rule.indices.dropLast().filter { rule[$0...].starts(with: "->".utf8) }
    guard arrows.count == 1 else {
      throw TensorFileError(.badName, at: place, "a rule is 'FROM -> TO', with '-' as TO to skip a tensor")
    }
    let (left, right) = (trimmed(rule[..<arrows[0]]), trimmed(rule[(arrows[0] + 2)...]))
    guard !left.isEmpty, !right.isEmpty else {
      throw TensorFileError(.badName, at: place, "a rule is 'FROM -> TO', with '-' as TO to skip a tensor")
    }
    let from = try NamePattern(from: left, at: place)
    let isLeftOut = right.elementsEqual("-".utf8)
    return Rule(line: number, from: from, to: isLeftOut ? nil : try from.pieces(to: right, at: place))
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    let start = bytes.drop(while: isSpace)
    return start.lastIndex { !isSpace($0) }.map { start[...$0] } ?? start.prefix(0)
  }

  /// Our names of the tensors, in their order; nil for those that are skipped.
  /// - Throws: `badName` for tensors that no rule matches, for a rule that matches none, and for a name that two tensors
  ///   get.
  public func names(of tensors: [String]) throws(TensorFileError) -> [String?] {
    var used = Set<Int>()
    var unknown: [String] = []
    var origins: [ByteName: String] = [:]
    var result: [String?] = []
    for tensor in tensors {
      guard let (index, placeholders) = match(Array(tensor.utf8)) else {
        unknown.append(tensor)
        continue
      }
      used.insert(index)
      guard let to = rules[index].to else {
        result.append(nil)
        continue
      }
      let name = NamePattern.text(to, placeholders: placeholders)
      if let other = origins.updateValue(tensor, forKey: ByteName(name)) {
        throw TensorFileError(
          .badName, at: "\(place):\(rules[index].line)",
          "'\(shown(other))' and '\(shown(tensor))' both become '\(shown(name))'")
      }
      result.append(name)
    }
    guard unknown.isEmpty else {
      let list = unknown.prefix(5).map { "'\(shown($0))'" }.joined(separator: ", ")
      throw TensorFileError(
        .badName, at: place,
        "no rule matches \(list)\(unknown.count > 5 ? " and \(unknown.count - 5) more" : ""); add one, with '-' as TO to "
          + "skip a tensor")
    }
    if let idle = rules.indices.first(where: { !used.contains($0) }) {
      throw TensorFileError(
        .badName, at: "\(place):\(rules[idle].line)",
        "no tensor matches '\(rules[idle].from.source)'; is this the right map?")
    }
    return result
  }

  /// The first rule that matches, and what its placeholders matched.
  private func match(_ name: [UInt8]) -> (rule: Int, placeholders: [[UInt8]])? {
    for (index, rule) in rules.enumerated() {
      if let placeholders = rule.from.match(name) { return (index, placeholders) }
    }
    return nil
  }
}
