import Determinism

/// A tree of plain values, each with the place where the user wrote it.
public struct LocatedValue: Sendable {
  public struct Member: Sendable {
    public var name: String
    public var nameLocation: SourceLocation
    public var value: LocatedValue

    public init(name: String, nameLocation: SourceLocation, value: LocatedValue) {
      self.name = name
      self.nameLocation = nameLocation
      self.value = value
    }
  }

  public enum Content: Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([LocatedValue])
    /// In the order of the file; names are unique.
    case object([Member])
  }

  public var content: Content
  public var location: SourceLocation
  /// What the user wrote for a number, a boolean or nothing: `3.10`, `007`, `True`. Where the value is used as text,
  /// this is the text.
  public var written: String?

  public init(_ content: Content, at location: SourceLocation, written: String? = nil) {
    self.content = content
    self.location = location
    self.written = written
  }

  /// A value that no user wrote; all parts have the same place.
  public init(plain value: CanonicalValue, at location: SourceLocation) {
    self.location = location
    switch value {
    case .null: content = .null
    case .bool(let b): content = .bool(b)
    case .integer(let i): content = .integer(i)
    case .number(let d): content = .number(d)
    case .string(let s): content = .string(s)
    case .array(let a): content = .array(a.map { LocatedValue(plain: $0, at: location) })
    case .object(let o):
      content = .object(
        o.sorted { $0.key.precedesInBytes($1.key) }.map {
          Member(name: $0.key, nameLocation: location, value: LocatedValue(plain: $0.value, at: location))
        })
    }
  }

  /// Members by name, or nil where this is no mapping.
  public var members: [Member]? { if case .object(let members) = content { members } else { nil } }
  public var stringValue: String? { if case .string(let s) = content { s } else { nil } }

  public subscript(name: String) -> LocatedValue? { members?.first { $0.name.hasSameBytes(as: name) }?.value }

  /// The kind of the value, for messages: `text 'abc'`, `a list`.
  public var kindDescription: String {
    switch content {
    case .null: "nothing"
    case .bool(let b): written ?? "\(b)"
    case .integer(let i): written ?? "\(i)"
    case .number(let d): written ?? "\(d)"
    case .string(let s): "text '\(s.clipped(to: 200))'"
    case .array: "a list"
    case .object: "a mapping"
    }
  }

  /// This value with `other` laid over it: mappings member by member, everything else replaced.
  ///
  /// - Parameter opening: makes a mapping of a value that stands for one.
  public func overlaid(
    with other: LocatedValue, opening: (LocatedValue) -> LocatedValue = { $0 }
  ) -> LocatedValue {
    guard case .object(let overriding) = other.content, case .object(var members) = opening(self).content else {
      return other
    }
    for member in overriding {
      if let i = members.firstIndex(where: { $0.name.hasSameBytes(as: member.name) }) {
        members[i].value = members[i].value.overlaid(with: member.value, opening: opening)
        members[i].nameLocation = member.nameLocation
      } else {
        members.append(member)
      }
    }
    return LocatedValue(.object(members), at: location)
  }
}
