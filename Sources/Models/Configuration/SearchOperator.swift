/// An operator that searched layers choose among: a value that says its name, builds its layer and counts its cost.
public protocol SearchOperator: Hashable, Sendable, CustomStringConvertible {
  /// For people, such as `shuffle 3x3`.
  var name: String { get }
  /// Part of the names of its parameters (`choice2`), which seed their first values and are what weights are loaded by:
  /// it never changes, and no two operators share one. It is no place in an operator set.
  var number: Int { get }
  /// Those of the paper, in the order of its genomes.
  static var published: [Self] { get }
  /// Those of a catalog.
  static func all(in catalog: NetworkCatalog) -> [Self]
}

extension SearchOperator {
  /// As pipeline files and artifacts have it, such as `shuffle-3x3`.
  public var spelling: String { name.lowercased().replacing(" ", with: "-") }

  /// The last part of the scope that its layer is made in.
  var scopeName: String { "choice\(number)" }

  public var description: String { name }

  // The name says which operator it is; how it is built follows from that.
  public static func == (a: Self, b: Self) -> Bool { a.spelling == b.spelling }
  public func hash(into hasher: inout Hasher) { hasher.combine(spelling) }
}
