/// A kind of part that a configuration names and a catalog holds: of backbone, of semantic head.
///
/// Encodings have its name alone, and leave the recommended one out, as they do of a `Switch`.
public protocol CatalogPart: Codable, Hashable, Sendable, CustomStringConvertible {
  /// What an encoding without one means.
  static var recommended: Self { get }
  /// Those that a program can build.
  static func all(in catalog: NetworkCatalog) -> [Self]
  /// What it is called in messages, such as `backbone`.
  static var noun: String { get }
  /// As pipeline files spell it.
  var name: String { get }
}

extension CatalogPart {
  public var description: String { name }

  public static func == (a: Self, b: Self) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// Finds the part in the catalog that the decoder was told (see `NetworkCatalog.userInfo`).
  /// - Throws: `DecodingError` for a part that the catalog lacks, naming those that it has.
  public init(from decoder: any Decoder) throws {
    let name = try String(from: decoder)
    let known = Self.all(in: NetworkCatalog(of: decoder))
    guard let found = known.first(where: { $0.name == name }) else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "unknown \(Self.noun) '\(name)'; there are \(known.map(\.name).joined(separator: ", "))"))
    }
    self = found
  }

  public func encode(to encoder: any Encoder) throws { try name.encode(to: encoder) }
}

// What the compiler writes for a structure's `Codable` calls these, since they are more special than the general ones.

extension KeyedEncodingContainer {
  public mutating func encode<Part: CatalogPart>(_ value: Part, forKey key: Key) throws {
    if value != .recommended { try encode(value.name, forKey: key) }
  }
}

extension KeyedDecodingContainer {
  public func decode<Part: CatalogPart>(_ type: Part.Type, forKey key: Key) throws -> Part {
    try decodeIfPresent(type, forKey: key) ?? .recommended
  }
}
