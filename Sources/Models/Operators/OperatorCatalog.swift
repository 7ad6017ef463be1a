/// All operators that a program can build: what pipeline files and artifacts may name.
///
/// A program with operators of its own registers them here and hands the catalog on; nothing is global:
///
/// ```swift
/// let registry = Stages.registry(operators: .published.adding(heads: [.pointwise]))
/// ```
///
/// New networks then search all operators of the catalog, and the keys of the stages that train or draw such networks
/// change. What was written with fewer operators keeps its meaning (see `OperatorSet`).
public struct OperatorCatalog: Sendable {
  public let backbone: [BackboneOperator]
  public let heads: [HeadOperator]

  /// - Precondition: neither list has a name or a number twice.
  public init(backbone: [BackboneOperator], heads: [HeadOperator]) {
    func check(_ operators: [some SearchOperator]) {
      precondition(
        Set(operators.map(\.spelling)).count == operators.count
          && Set(operators.map(\.number)).count == operators.count,
        "OperatorCatalog: a name or a number twice in \(operators.map { "\($0.number) \($0.name)" })")
    }
    check(backbone)
    check(heads)
    self.backbone = backbone
    self.heads = heads
  }

  /// The operators of the paper.
  public static let published = OperatorCatalog(backbone: BackboneOperator.published, heads: HeadOperator.published)

  /// These and others.
  public func adding(backbone: [BackboneOperator] = [], heads: [HeadOperator] = []) -> OperatorCatalog {
    OperatorCatalog(backbone: self.backbone + backbone, heads: self.heads + heads)
  }
}

extension OperatorCatalog {
  private static let key = CodingUserInfoKey(rawValue: "operators")!

  /// What a decoder of configurations must be told so that it knows these operators. Without it those of the paper are
  /// known.
  public var userInfo: [CodingUserInfoKey: any Sendable] { [OperatorCatalog.key: self] }

  /// The catalog that a decoder was told.
  init(of decoder: any Decoder) {
    self = decoder.userInfo[OperatorCatalog.key] as? OperatorCatalog ?? .published
  }
}

extension NetworkConfiguration {
  /// Makes the network search all operators of a catalog.
  public mutating func search(_ catalog: OperatorCatalog) {
    backbone.search(catalog)
    headOperators = OperatorSet(catalog.heads)
  }
}

extension BackboneConfiguration {
  /// Makes the backbone search all operators of a catalog.
  public mutating func search(_ catalog: OperatorCatalog) { operators = OperatorSet(catalog.backbone) }
}
