/// An operator that searched layers choose among.
public protocol SearchOperator: CaseIterable, RawRepresentable, Hashable, Sendable
where RawValue == Int, AllCases == [Self] {
  /// For people, such as `shuffle 3x3`.
  var name: String { get }
  /// Those of the paper, in the order of its genomes. Written out, and not `allCases`: an operator that is added to the
  /// type is none of them.
  static var published: [Self] { get }
}

extension SearchOperator {
  /// As pipeline files have it, such as `shuffle-3x3`.
  public var spelling: String { name.lowercased().replacing(" ", with: "-") }
}

/// The operators of a searched layer, in the order of the genome: choice `i` is the `i`-th of them.
///
/// Encodings leave the published set out, as they leave out a recommended `Switch`. Any other set is in the parameters,
/// and so in the key, of every stage that builds, trains or draws the space, and in the artifacts that describe a
/// network: what six operators gave is never taken for what seven would give.
public struct OperatorSet<Operator: SearchOperator>: Hashable, Sendable {
  public let operators: [Operator]

  public init(_ operators: [Operator]) { self.operators = operators }

  /// Everything that there is to search, which is what a new network searches.
  public init() { operators = Operator.allCases }

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
  /// - Throws: `DecodingError` for an operator that there is not, naming those that there are.
  public init(from decoder: any Decoder) throws {
    let spellings = try [String](from: decoder)
    operators = try spellings.map { spelling in
      guard let found = Operator.allCases.first(where: { $0.spelling == spelling }) else {
        throw DecodingError.dataCorrupted(
          .init(
            codingPath: decoder.codingPath,
            debugDescription: "unknown operator '\(spelling)'; there are "
              + Operator.allCases.map(\.spelling).joined(separator: ", ")))
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
