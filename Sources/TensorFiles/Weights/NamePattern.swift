import Determinism

/// The left side of a rule of a `NameMap`, over bytes: a point and the texts between holes are whole characters, so
/// what a hole stands for is one too.
struct NamePattern: Sendable {
  enum Piece: Sendable {
    case text([UInt8])
    /// Its number, from the left.
    case hole(Int)
    /// `**`
    case anything
  }

  let source: String
  private let pieces: [Piece]
  private let holes: [ByteName]

  /// - Throws: `badName` for a pattern that is none.
  init(from text: ArraySlice<UInt8>, at place: String) throws(TensorFileError) {
    source = String(decoding: text, as: UTF8.self)
    var names: [ByteName] = []
    pieces = try NamePattern.pieces(text, at: place) { name in
      names.append(name)
      return names.count - 1
    }
    holes = names
    guard Set(holes).count == holes.count else {
      throw TensorFileError(.badName, at: place, "'\(source)' holds the same {name} twice")
    }
  }

  /// The right side of the rule.
  /// - Throws: `badName` for a hole that the left side has not.
  func pieces(to text: ArraySlice<UInt8>, at place: String) throws(TensorFileError) -> [Piece] {
    let pieces = try NamePattern.pieces(text, at: place) { name throws(TensorFileError) in
      guard let index = holes.firstIndex(of: name) else {
        throw TensorFileError(.badName, at: place, "{\(name)} is not in '\(source)'")
      }
      return index
    }
    for case .anything in pieces { throw TensorFileError(.badName, at: place, "'**' can only be on the left") }
    return pieces
  }

  private static func pieces(
    _ text: ArraySlice<UInt8>, at place: String, hole: (ByteName) throws(TensorFileError) -> Int
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
        throw TensorFileError(.badName, at: place, "'\(shown)': a '{' without a name and '}'")
      }
      if open > rest.startIndex { pieces.append(.text(Array(rest[..<open]))) }
      if case .hole = pieces.last {
        throw TensorFileError(.badName, at: place, "'\(shown)': between two {names} there must be something")
      }
      pieces.append(.hole(try hole(ByteName(String(decoding: rest[(open + 1)..<close], as: UTF8.self)))))
      rest = rest[(close + 1)...]
    }
    if !rest.isEmpty { pieces.append(.text(Array(rest))) }
    return pieces
  }

  /// Puts together what a right side says.
  static func text(_ pieces: [Piece], holes: [[UInt8]]) -> String {
    var bytes: [UInt8] = []
    for piece in pieces {
      switch piece {
      case .text(let text): bytes += text
      case .hole(let index): bytes += holes[index]
      case .anything: break
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What the holes stand for, from the left each as short as can be; nil where the pattern does not fit.
  ///
  /// Takes as many steps as the pattern and the name have bytes, multiplied: first it finds out, from the right, where
  /// the rest of the pattern fits the rest of the name; then it knows where every hole ends.
  func match(_ name: [UInt8]) -> [[UInt8]]? {
    // Most rules fail at once.
    if case .text(let text) = pieces.first, !name.starts(with: text) { return nil }
    if case .text(let text) = pieces.last, !name.suffix(text.count).elementsEqual(text) { return nil }
    let width = name.count + 1
    // At `piece * width + position`.
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
          case .hole:
            position < name.count && name[position] != UInt8(ascii: ".")
              && (fits[next + position + 1] || fits[here + position + 1])
          case .anything: fits[next + position] || position < name.count && fits[here + position + 1]
          }
      }
    }
    guard fits[0] else { return nil }
    var found = [[UInt8]](repeating: [], count: holes.count)
    var position = 0
    for (index, piece) in pieces.enumerated() {
      let next = (index + 1) * width
      switch piece {
      case .text(let text): position += text.count
      case .hole(let hole):
        let end = (position + 1...name.count).first { fits[next + $0] } ?? name.count
        found[hole] = Array(name[position..<end])
        position = end
      case .anything: position = (position...name.count).first { fits[next + $0] } ?? name.count
      }
    }
    return found
  }
}
