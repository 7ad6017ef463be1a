/// The replaceable parts that networks are built from, found by the names that configurations have for them.
///
/// A value: a program that has a part of its own adds it to a copy and hands that to the network.
///
/// ```swift
/// let parts = NetworkParts.standard.adding(MobileNetFamily())
/// let network = PanopticNetwork(configuration, …, parts: parts)
/// ```
public struct NetworkParts: Sendable {
  public private(set) var backbones: [any BackboneFamily]
  public private(set) var semanticHeads: [any SemanticHeadKind]

  public init(backbones: [any BackboneFamily], semanticHeads: [any SemanticHeadKind]) {
    self.backbones = backbones
    self.semanticHeads = semanticHeads
  }

  /// The parts of the paper's networks and of its baselines.
  public static let standard = NetworkParts(
    backbones: [ShuffleNetV2Family(), ResNetFamily()],
    semanticHeads: [
      SearchedSemanticHeadKind(), PanopticFPNHeadKind(isDeformable: false), PanopticFPNHeadKind(isDeformable: true),
    ])

  /// The same with one more backbone, which replaces one of its name.
  public func adding(_ family: any BackboneFamily) -> NetworkParts {
    var parts = self
    parts.backbones.removeAll { $0.name == family.name }
    parts.backbones.append(family)
    return parts
  }

  /// The same with one more semantic head, which replaces one of its name.
  public func adding(_ kind: any SemanticHeadKind) -> NetworkParts {
    var parts = self
    parts.semanticHeads.removeAll { $0.name == kind.name }
    parts.semanticHeads.append(kind)
    return parts
  }

  /// - Precondition: there is such a family. Names from files are checked where they enter.
  public func backbone(_ name: BackboneName) -> any BackboneFamily {
    guard let family = backbones.first(where: { $0.name == name }) else {
      preconditionFailure("NetworkParts: no backbone '\(name.rawValue)' among \(backbones.map(\.name.rawValue))")
    }
    return family
  }

  /// - Precondition: there is such a kind.
  public func semanticHead(_ name: SemanticHeadName) -> any SemanticHeadKind {
    guard let kind = semanticHeads.first(where: { $0.name == name }) else {
      preconditionFailure(
        "NetworkParts: no semantic head '\(name.rawValue)' among \(semanticHeads.map(\.name.rawValue))")
    }
    return kind
  }
}

/// The stem, a block or a layer of a network at its place, for one image.
public struct NetworkPart: Sendable {
  /// Such as `stage 1 block 3`.
  public var name: String
  /// Such as `bottleneck /2`.
  public var operation: String
  /// Its parameters in the state dictionary: `body/stage1/2/`.
  public var scope: String
  /// Channels and positions of its output, such as `96 × 200 × 272`; a head that runs on regions says how many.
  public var output: String
  /// Of convolutions and linear layers; biases, normalisations, pooling and resampling are left out, as published.
  public var multiplyAdds: Int

  public init(name: String, operation: String, scope: String, output: String, multiplyAdds: Int) {
    self.name = name
    self.operation = operation
    self.scope = scope
    self.output = output
    self.multiplyAdds = multiplyAdds
  }
}
