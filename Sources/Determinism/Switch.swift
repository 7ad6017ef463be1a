/// A parameter with a few named variants, one of which is recommended.
///
/// Encodings omit the recommended one. So adding a switch to a structure changes no key and no artifact as long as it
/// has the recommended value.
public protocol Switch: RawRepresentable, Codable, CaseIterable, Hashable, Sendable where RawValue == String {
  static var recommended: Self { get }
}

// Synthesised `Codable` conformances call these overloads, since they are more specific than the general ones.

extension KeyedEncodingContainer {
  public mutating func encode<S: Switch>(_ value: S, forKey key: Key) throws {
    if value != .recommended { try encode(value.rawValue, forKey: key) }
  }
}

extension KeyedDecodingContainer {
  public func decode<S: Switch>(_ type: S.Type, forKey key: Key) throws -> S {
    try decodeIfPresent(type, forKey: key) ?? .recommended
  }
}
