import Foundation

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
  private enum Piece: Sendable {
    case text(String)
    case hole(String)
    /// `**`
    case anything
  }

  private struct Rule: Sendable {
    let line: Int
    let source: String
    let from: [Piece]
    /// Nil leaves the tensor out.
    let to: [Piece]?
  }

  private let rules: [Rule]
  private let place: String

  /// Reads the text of a map.
  /// - Throws: `TensorFileError` with the line.
  public init(_ text: String, place: String) throws(TensorFileError) {
    self.place = place
    var rules: [Rule] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let rule = line.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
      if rule.isEmpty { continue }
      let at = "\(place):\(index + 1)"
      let sides = rule.components(separatedBy: "->").map { $0.trimmingCharacters(in: .whitespaces) }
      guard sides.count == 2, sides.allSatisfy({ !$0.isEmpty }) else {
        throw TensorFileError(.badName, at: at, "a rule is 'FROM -> TO', with '-' as TO to leave a tensor out")
      }
      let from = try NameMap.pieces(sides[0], at: at)
      let holes = from.compactMap { if case .hole(let name) = $0 { name } else { nil } }
      guard Set(holes).count == holes.count else {
        throw TensorFileError(.badName, at: at, "'\(sides[0])' holds the same {name} twice")
      }
      var to: [Piece]?
      if sides[1] != "-" {
        let pieces = try NameMap.pieces(sides[1], at: at)
        for case .hole(let name) in pieces where !holes.contains(name) {
          throw TensorFileError(.badName, at: at, "{\(name)} is not in '\(sides[0])'")
        }
        for case .anything in pieces { throw TensorFileError(.badName, at: at, "'**' can only be on the left") }
        to = pieces
      }
      rules.append(Rule(line: index + 1, source: sides[0], from: from, to: to))
    }
    guard !rules.isEmpty else { throw TensorFileError(.badName, at: place, "holds no rule 'FROM -> TO'") }
    self.rules = rules
  }

  /// Our names of the tensors, in their order; nil for those that are left out.
  /// - Throws: `badName` naming tensors that no rule fits, rules that fit none, and names that two tensors get.
  public func names(of tensors: [String]) throws(TensorFileError) -> [String?] {
    var used = Set<Int>()
    var unknown: [String] = []
    var origins: [String: String] = [:]
    var result: [String?] = []
    for tensor in tensors {
      guard let (index, holes) = match(tensor) else {
        unknown.append(tensor)
        continue
      }
      used.insert(index)
      guard let to = rules[index].to else {
        result.append(nil)
        continue
      }
      let name = to.map { piece in
        switch piece {
        case .text(let text): text
        case .hole(let hole): holes[hole] ?? ""
        case .anything: ""
        }
      }.joined()
      if let other = origins.updateValue(tensor, forKey: name) {
        throw TensorFileError(
          .badName, at: "\(place):\(rules[index].line)", "'\(other)' and '\(tensor)' both become '\(name)'")
      }
      result.append(name)
    }
    guard unknown.isEmpty else {
      let list = unknown.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
      throw TensorFileError(
        .badName, at: place,
        "no rule fits \(list)\(unknown.count > 5 ? " and \(unknown.count - 5) more" : ""); add one, with '-' as TO to "
          + "leave it out")
    }
    if let idle = rules.indices.first(where: { !used.contains($0) }) {
      throw TensorFileError(
        .badName, at: "\(place):\(rules[idle].line)", "no tensor fits '\(rules[idle].source)'; is this the right map?")
    }
    return result
  }

  /// The first rule that fits, and what its holes stand for.
  private func match(_ name: String) -> (rule: Int, holes: [String: String])? {
    for (index, rule) in rules.enumerated() {
      var holes: [String: String] = [:]
      if NameMap.fits(rule.from[...], name[...], &holes) { return (index, holes) }
    }
    return nil
  }

  private static func fits(_ pieces: ArraySlice<Piece>, _ name: Substring, _ holes: inout [String: String]) -> Bool {
    guard let piece = pieces.first else { return name.isEmpty }
    let rest = pieces.dropFirst()
    switch piece {
    case .text(let text):
      return name.hasPrefix(text) && fits(rest, name.dropFirst(text.count), &holes)
    case .hole(let hole):
      // The shortest that lets the rest fit; holes are few and names short.
      var end = name.startIndex
      while end < name.endIndex, name[end] != "." {
        end = name.index(after: end)
        if fits(rest, name[end...], &holes) {
          holes[hole] = String(name[..<end])
          return true
        }
      }
      return false
    case .anything:
      // Only at the beginning: what follows is held against the end.
      return name.indices.contains { fits(rest, name[$0...], &holes) }
    }
  }

  private static func pieces(_ text: String, at place: String) throws(TensorFileError) -> [Piece] {
    var pieces: [Piece] = []
    var rest = text[...]
    if rest.hasPrefix("**") {
      pieces.append(.anything)
      rest = rest.dropFirst(2)
    }
    while let open = rest.firstIndex(of: "{") {
      guard let close = rest[open...].firstIndex(of: "}"), rest.index(after: open) < close else {
        throw TensorFileError(.badName, at: place, "'\(text)': a '{' without a name and '}'")
      }
      if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
      if case .hole = pieces.last {
        throw TensorFileError(.badName, at: place, "'\(text)': between two {names} there must be something")
      }
      pieces.append(.hole(String(rest[rest.index(after: open)..<close])))
      rest = rest[rest.index(after: close)...]
    }
    if !rest.isEmpty { pieces.append(.text(String(rest))) }
    return pieces
  }
}
