/// A choice between ways to do one thing, one of which is recommended.
///
/// Encodings leave the recommended one out. So a switch that is added to a structure, and stays as it is recommended,
/// changes no key and no artifact.
public protocol Switch: RawRepresentable, Codable, CaseIterable, Hashable, Sendable where RawValue == String {
  static var recommended: Self { get }
}

// What the compiler writes for a structure's `Codable` calls these, since they are more special than the general ones.

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
