/// All that a program can build networks from: the operators, backbones and semantic heads that pipeline files and
/// artifacts may name.
///
/// A program with some of its own registers them here and hands the catalog on; nothing is global:
///
/// ```swift
/// let registry = Stages.registry(operators: .published.adding(heads: [.pointwise]))
/// ```
///
/// New networks then search all operators of the catalog, and the keys of the stages that train or draw such networks
/// change. What was written with fewer operators keeps its meaning (see `OperatorSet`).
public struct NetworkCatalog: Sendable {
  public let backbone: [BackboneOperator]
  public let heads: [HeadOperator]
  public let backbones: [BackboneKind]
  public let semanticHeads: [SemanticHeadKind]

  /// - Precondition: no list has a name or a number twice.
  public init(
    backbone: [BackboneOperator], heads: [HeadOperator], backbones: [BackboneKind], semanticHeads: [SemanticHeadKind]
  ) {
    func check(_ operators: [some SearchOperator]) {
      precondition(
        Set(operators.map(\.spelling)).count == operators.count
          && Set(operators.map(\.number)).count == operators.count,
        "NetworkCatalog: a name or a number twice in \(operators.map { "\($0.number) \($0.name)" })")
    }
    check(backbone)
    check(heads)
    func check(_ parts: [some CatalogPart]) {
      precondition(Set(parts).count == parts.count, "NetworkCatalog: a name twice in \(parts)")
    }
    check(backbones)
    check(semanticHeads)
    self.backbones = backbones
    self.semanticHeads = semanticHeads
    self.backbone = backbone
    self.heads = heads
  }

  /// What the networks of the paper and of its baselines consist of.
  public static let published = NetworkCatalog(
    backbone: BackboneOperator.published, heads: HeadOperator.published, backbones: [.shuffleNetV2, .resNet],
    semanticHeads: [.searched, .panopticFPN, .panopticFPNDeformable])

  /// These and others.
  public func adding(
    backbone: [BackboneOperator] = [], heads: [HeadOperator] = [], backbones: [any BackboneFamily] = [],
    semanticHeads: [any SemanticHeadFamily] = []
  ) -> NetworkCatalog {
    NetworkCatalog(
      backbone: self.backbone + backbone, heads: self.heads + heads,
      backbones: self.backbones + backbones.map { BackboneKind($0) },
      semanticHeads: self.semanticHeads + semanticHeads.map { SemanticHeadKind($0) })
  }
}

extension NetworkCatalog {
  private static let key = CodingUserInfoKey(rawValue: "operators")!

  /// What a decoder of configurations must be told so that it knows these operators. Without it those of the paper are
  /// known.
  public var userInfo: [CodingUserInfoKey: any Sendable] { [NetworkCatalog.key: self] }

  /// The catalog that a decoder was told.
  init(of decoder: any Decoder) {
    self = decoder.userInfo[NetworkCatalog.key] as? NetworkCatalog ?? .published
  }
}

extension NetworkConfiguration {
  /// Makes the network search all operators of a catalog.
  public mutating func search(_ catalog: NetworkCatalog) {
    backbone.search(catalog)
    headOperators = OperatorSet(catalog.heads)
  }
}

extension BackboneConfiguration {
  /// Makes the backbone search all operators of a catalog.
  public mutating func search(_ catalog: NetworkCatalog) { operators = OperatorSet(catalog.backbone) }
}
