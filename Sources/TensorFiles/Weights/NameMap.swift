import Determinism

/// Which tensor of somebody else's file becomes which of ours.
///
/// One rule a line, `FROM -> TO`; `#` begins a comment. In `FROM`, `{name}` stands for one or more characters other
/// than a point, and `**` at the beginning for anything; in `TO`, `{name}` is what it stood for. `-` as `TO` leaves
/// the tensor out. The first rule that fits is taken; a tensor that no rule fits, and a rule that fits no tensor, are
/// mistakes.
///
///     backbone.layer{stage}.{block}.conv1.weight -> body/stage{stage}/{block}/reduce/weight
///     **.num_batches_tracked -> -
public struct NameMap: Sendable {
  private struct Rule: Sendable {
    let line: Int
    let from: NamePattern
    /// Nil leaves the tensor out.
    let to: [NamePattern.Piece]?
  }

  /// Bytes of a line at most.
  private static let maximalLine = 1 << 14

  private let rules: [Rule]
  private let place: String

  /// Reads the text of a map; its lines may end in LF or CR LF.
  /// - Throws: `TensorFileError` with the line.
  public init(_ text: String, place: String) throws(TensorFileError) { try self.init(Array(text.utf8), place: place) }

  public init(_ bytes: [UInt8], place: String) throws(TensorFileError) {
    self.place = place
    var rules: [Rule] = []
    for (index, line) in TextLines.split(bytes).enumerated() {
      if let rule = try NameMap.rule(line, number: index + 1, at: "\(place):\(index + 1)") { rules.append(rule) }
    }
    guard !rules.isEmpty else { throw TensorFileError(.badName, at: place, "holds no rule 'FROM -> TO'") }
    self.rules = rules
  }

  /// The rule of a line; nil for one that is empty but for a comment.
  private static func rule(
    _ line: ArraySlice<UInt8>, number: Int, at place: String
  ) throws(TensorFileError) -> Rule? {
    guard line.count <= maximalLine else {
      throw TensorFileError(
        .badName, at: place, "the line has \(line.count) bytes; at most \(maximalLine) are possible")
    }
    let rule = trimmed(line.prefix { $0 != UInt8(ascii: "#") })
    if rule.isEmpty { return nil }
    guard String(validating: rule, as: UTF8.self) != nil else {
      throw TensorFileError(.badName, at: place, "the line is not UTF-8")
    }
    let arrows = rule.indices.dropLast().filter { rule[$0...].starts(with: "->".utf8) }
    guard arrows.count == 1 else {
      throw TensorFileError(.badName, at: place, "a rule is 'FROM -> TO', with '-' as TO to leave a tensor out")
    }
    let (left, right) = (trimmed(rule[..<arrows[0]]), trimmed(rule[(arrows[0] + 2)...]))
    guard !left.isEmpty, !right.isEmpty else {
      throw TensorFileError(.badName, at: place, "a rule is 'FROM -> TO', with '-' as TO to leave a tensor out")
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

  /// Our names of the tensors, in their order; nil for those that are left out.
  /// - Throws: `badName` naming tensors that no rule fits, rules that fit none, and names that two tensors get.
  public func names(of tensors: [String]) throws(TensorFileError) -> [String?] {
    var used = Set<Int>()
    var unknown: [String] = []
    var origins: [ByteName: String] = [:]
    var result: [String?] = []
    for tensor in tensors {
      guard let (index, holes) = match(Array(tensor.utf8)) else {
        unknown.append(tensor)
        continue
      }
      used.insert(index)
      guard let to = rules[index].to else {
        result.append(nil)
        continue
      }
      let name = NamePattern.text(to, holes: holes)
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
        "no rule fits \(list)\(unknown.count > 5 ? " and \(unknown.count - 5) more" : ""); add one, with '-' as TO to "
          + "leave it out")
    }
    if let idle = rules.indices.first(where: { !used.contains($0) }) {
      throw TensorFileError(
        .badName, at: "\(place):\(rules[idle].line)",
        "no tensor fits '\(rules[idle].from.source)'; is this the right map?")
    }
    return result
  }

  /// The first rule that fits, and what its holes stand for.
  private func match(_ name: [UInt8]) -> (rule: Int, holes: [[UInt8]])? {
    for (index, rule) in rules.enumerated() {
      if let holes = rule.from.match(name) { return (index, holes) }
    }
    return nil
  }
}
