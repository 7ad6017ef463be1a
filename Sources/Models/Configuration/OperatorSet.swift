/// The operators of a searched layer, in the order of the genome: choice `i` is the `i`-th of them.
///
/// Encodings leave the published set out, as they leave out a recommended `Switch`. Any other set is in the parameters,
/// and so in the key, of every stage that builds, trains or draws the space, and in the artifacts that describe a
/// network: what six operators gave is never taken for what seven would give.
public struct OperatorSet<Operator: SearchOperator>: Hashable, Sendable {
  public let operators: [Operator]

  public init(_ operators: [Operator]) { self.operators = operators }

  /// What an encoding without a set means.
  public static var published: OperatorSet { OperatorSet(Operator.published) }

  public var count: Int { operators.count }
  public var names: [String] { operators.map(\.name) }

  /// - Precondition: the set has such a choice.
  public subscript(choice: Int) -> Operator {
    precondition(operators.indices.contains(choice), "OperatorSet: choice \(choice) of \(operators.count)")
    return operators[choice]
  }
}

extension OperatorSet: Codable {
  /// Finds the operators in the catalog that the decoder was told (see `NetworkCatalog.userInfo`).
  /// - Throws: `DecodingError` for an operator that the catalog lacks, naming those that it has.
  public init(from decoder: any Decoder) throws {
    let known = Operator.all(in: NetworkCatalog(of: decoder))
    operators = try [String](from: decoder).map { spelling in
      guard let found = known.first(where: { $0.spelling == spelling }) else {
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: decoder.codingPath,
            debugDescription: "unknown operator '\(spelling)'; there are "
              + known.map(\.spelling).joined(separator: ", ")))
      }
      return found
    }
  }

  public func encode(to encoder: any Encoder) throws { try operators.map(\.spelling).encode(to: encoder) }
}

// What the compiler writes for a structure's `Codable` calls these, since they are more special than the general ones.

extension KeyedEncodingContainer {
  public mutating func encode<Operator>(_ value: OperatorSet<Operator>, forKey key: Key) throws {
    if value != .published { try encode(value.operators.map(\.spelling), forKey: key) }
  }
}

extension KeyedDecodingContainer {
  public func decode<Operator>(_ type: OperatorSet<Operator>.Type, forKey key: Key) throws -> OperatorSet<Operator> {
    try decodeIfPresent(type, forKey: key) ?? .published
  }
}
