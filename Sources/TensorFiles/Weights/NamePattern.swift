import Determinism

/// The left side of a rule of a `NameMap`, matched by bytes. Dots and the texts between placeholders are whole
/// characters, so placeholders match whole characters too.
struct NamePattern: Sendable {
  enum Piece: Sendable {
    case text([UInt8])
    /// The placeholder with this index, counted from the left.
    case placeholder(Int)
    /// `**`
    case anything
  }

  let source: String
  private let pieces: [Piece]
  private let placeholders: [ByteName]

  /// - Throws: `badName` for a malformed pattern.
  init(from text: ArraySlice<UInt8>, at place: String) throws(TensorFileError) {
    source = String(decoding: text, as: UTF8.self)
    var names: [ByteName] = []
    pieces = try NamePattern.pieces(text, at: place) { name in
      names.append(name)
      return names.count - 1
    }
    placeholders = names
    guard Set(placeholders).count == placeholders.count else {
      throw TensorFileError(.badName, at: place, "'\(source)' has the same {name} twice")
    }
  }

  /// The right side of the rule.
  /// - Throws: `badName` for a placeholder that the left side lacks.
  func pieces(to text: ArraySlice<UInt8>, at place: String) throws(TensorFileError) -> [Piece] {
    let pieces = try NamePattern.pieces(text, at: place) { name throws(TensorFileError) in
      guard let index = placeholders.firstIndex(of: name) else {
        throw TensorFileError(.badName, at: place, "{\(name)} is not in '\(source)'")
      }
      return index
    }
    for case .anything in pieces { throw TensorFileError(.badName, at: place, "'**' is only allowed on the left side") }
    return pieces
  }

  private static func pieces(
    _ text: ArraySlice<UInt8>, at place: String, placeholder: (ByteName) throws(TensorFileError) -> Int
  ) throws(TensorFileError) -> [Piece] {
    let shown = String(decoding: text, as: UTF8.self)
    var pieces: [Piece] = []
    var rest = text
    if rest.starts(with: "**".utf8) {
      pieces.append(.anything)
      rest = rest.dropFirst(2)
    }
    while let open = rest.firstIndex(of: UInt8(ascii: "{")) {
      guard let close = rest[open...].firstIndex(of: UInt8(ascii: "}")), open + 1 < close else {
        throw TensorFileError(.badName, at: place, "'\(shown)': '{' without a name and '}'")
      }
      if open > rest.startIndex { pieces.append(.text(Array(rest[..<open]))) }
      if case .placeholder = pieces.last {
        throw TensorFileError(.badName, at: place, "'\(shown)': two {names} must be separated by text")
      }
      pieces.append(.placeholder(try placeholder(ByteName(String(decoding: rest[(open + 1)..<close], as: UTF8.self)))))
      rest = rest[(close + 1)...]
    }
    if !rest.isEmpty { pieces.append(.text(Array(rest))) }
    return pieces
  }

  /// The name that a right side describes, given what the placeholders matched.
  static func text(_ pieces: [Piece], placeholders: [[UInt8]]) -> String {
    var bytes: [UInt8] = []
    for piece in pieces {
      switch piece {
      case .text(let text): bytes += text
      case .placeholder(let index): bytes += placeholders[index]
      case .anything: break
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What the placeholders match, each as short as possible from the left; nil where the pattern does not match.
  ///
  /// The time is proportional to the lengths of pattern and name: it first computes, from the right, where the rest of
  /// the pattern matches the rest of the name; that determines where every placeholder ends.
  func match(_ name: [UInt8]) -> [[UInt8]]? {
    // Most rules fail here.
    if case .text(let text) = pieces.first, !name.starts(with: text) { return nil }
    if case .text(let text) = pieces.last, !name.suffix(text.count).elementsEqual(text) { return nil }
    let width = name.count + 1
    // Index `piece * width + position`: whether the pieces from `piece` match the name from `position`.
    var fits = [Bool](repeating: false, count: (pieces.count + 1) * width)
    fits[pieces.count * width + name.count] = true
    for piece in pieces.indices.reversed() {
      let (here, next) = (piece * width, (piece + 1) * width)
      for position in stride(from: name.count, through: 0, by: -1) {
        fits[here + position] =
          switch pieces[piece] {
          case .text(let text):
            position + text.count <= name.count && fits[next + position + text.count]
              && name[position..<position + text.count].elementsEqual(text)
          case .placeholder:
            position < name.count && name[position] != UInt8(ascii: ".")
              && (fits[next + position + 1] || fits[here + position + 1])
          case .anything: fits[next + position] || position < name.count && fits[here + position + 1]
          }
      }
    }
    guard fits[0] else { return nil }
    var found = [[UInt8]](repeating: [], count: placeholders.count)
    var position = 0
    for (index, piece) in pieces.enumerated() {
      let next = (index + 1) * width
      switch piece {
      case .text(let text): position += text.count
      case .placeholder(let placeholder):
        let end = (position + 1...name.count).first { fits[next + $0] } ?? name.count
        found[placeholder] = Array(name[position..<end])
        position = end
      case .anything: position = (position...name.count).first { fits[next + $0] } ?? name.count
      }
    }
    return found
  }
}
