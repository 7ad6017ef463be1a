import Determinism

extension LocatedValue {
  /// The tree without places.
  public var plain: CanonicalValue { tree { value, _ in value } }

  /// The tree without places, for readers that take numbers and words alike as text: a number or a boolean stays one
  /// where its canonical form is what the user wrote, as of `0.1` and `true`; else it is the text, as of `3.10`, `007`,
  /// `True`.
  public var asWritten: CanonicalValue {
    tree { value, written in
      guard let written, value != .null, value.canonicalText != written else { return value }
      return .string(written)
    }
  }

  /// - Parameter scalar: makes a value of a number, a boolean or nothing, and of how it was written.
  private func tree(scalar: (CanonicalValue, String?) -> CanonicalValue) -> CanonicalValue {
    switch content {
    case .null: scalar(.null, written)
    case .bool(let b): scalar(.bool(b), written)
    case .integer(let i): scalar(.integer(i), written)
    case .number(let d): scalar(.number(d), written)
    case .string(let s): .string(s)
    case .array(let a): .array(a.map { $0.tree(scalar: scalar) })
    case .object(let o):
      // Names that are one to Unicode were refused before anybody takes the value.
      .object(Dictionary(o.map { ($0.name, $0.value.tree(scalar: scalar)) }, uniquingKeysWith: { _, b in b }))
    }
  }

  /// - Throws: where two members of a mapping have names that are one to Unicode but not in their bytes; what is keyed
  ///   by such names would lose one.
  func refuseTwins() throws {
    switch content {
    case .array(let elements): for element in elements { try element.refuseTwins() }
    case .object(let members):
      if let (one, other) = members.map(\.name).canonicalTwins() {
        let place = members.last { $0.name.hasSameBytes(as: other) }?.nameLocation ?? location
        throw PipelineError(
          .badValue, at: place,
          "'\(one.escapedBytes)' and '\(other.escapedBytes)' are one name to Unicode; rename one of them")
      }
      for member in members { try member.value.refuseTwins() }
    default: break
    }
  }
}
