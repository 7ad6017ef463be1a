import NN
import Search

/// A network as the list of its parts, with exact parameters and multiply-adds: what `model describe` prints.
///
/// Parameters are counted on a network that is built for it; multiply-adds follow from shapes (method 0.4: convolutions
/// and linear layers, without biases, normalisation, pooling and resampling).
public struct NetworkDescription: Sendable {
  /// One layer or block.
  public struct Part: Sendable {
    /// Such as `stage 1 block 3`.
    public var name: String
    /// Such as `conv 3x3 /2`.
    public var operation: String
    /// Channels and positions of the output, such as `96 × 200 × 272`; a head that runs on regions says how many.
    public var output: String
    /// Trainable values.
    public var parameters: Int
    /// For one image.
    public var multiplyAdds: Int
  }

  /// A group of parts that the paper names together.
  public struct Module: Sendable {
    /// Which group; the raw value is for people.
    public enum Kind: String, Sendable {
      case backbone, classifier, attention
      case pyramid = "feature pyramid"
      case proposals = "region proposals"
      case boxHead = "box head"
      case maskHead = "mask head"
      case semanticHead = "semantic head"
    }

    public var kind: Kind
    public var parts: [Part]

    public var name: String { kind.rawValue }
    public var parameters: Int { parts.reduce(0) { $0 + $1.parameters } }
    public var multiplyAdds: Int { parts.reduce(0) { $0 + $1.multiplyAdds } }
  }

  /// From the input on.
  public let modules: [Module]
  /// Of the image, in pixels.
  public let height: Int
  public let width: Int

  public var parameters: Int { modules.reduce(0) { $0 + $1.parameters } }
  public var multiplyAdds: Int { modules.reduce(0) { $0 + $1.multiplyAdds } }

  /// A backbone with its ImageNet classifier of a thousand classes, on a square image.
  public init(
    classifier configuration: BackboneConfiguration, path: [Int], side: Int = 224
  ) {
    (height, width) = (side, side)
    let classes = 1000
    let network = Classifier(
      configuration, choices: .fixed(path), classes: classes, dropout: 0, momentum: 0.1, seeds: nil)
    let backbone = NetworkDescription.backbone(
      configuration, path: path, store: network.store, height: side, width: side)
    let (cells, inputs) = (((side + 31) / 32) * ((side + 31) / 32), configuration.stageChannels[3])
    let channels = configuration.classifierChannels
    modules = [
      backbone,
      Module(
        kind: .classifier,
        parts: [
          Part(
            name: "last convolution", operation: "conv 1x1",
            output: "\(channels) × \((side + 31) / 32) × \((side + 31) / 32)",
            parameters: network.store.count(below: "classifier/last/"), multiplyAdds: inputs * channels * cells),
          Part(
            name: "classes", operation: "linear", output: "\(classes)",
            parameters: network.store.count(below: "classifier/output/"), multiplyAdds: channels * classes),
        ]),
    ]
  }

  /// The panoptic network of one architecture on one image in testing: every region that testing lets through counts.
  ///
  /// - Parameters:
  ///   - height, width: of the padded image, multiples of 32.
  public init(
    _ configuration: NetworkConfiguration, architecture: Architecture, thingClasses: Int, stuffClasses: Int,
    height: Int, width: Int
  ) {
    (self.height, self.width) = (height, width)
    let network = PanopticNetwork(
      configuration, thingClasses: thingClasses, stuffClasses: stuffClasses, content: .fixed(architecture),
      batchNormMomentum: 0.01, seeds: nil)
    let shapes = Shapes(configuration, height: height, width: width)
    let backbone = NetworkDescription.backbone(
      configuration.backbone, path: architecture.backbone, store: network.store, height: height, width: width)
    modules = [
      backbone, shapes.pyramid(network.store), shapes.proposals(network.store),
      shapes.boxHead(network.store, classes: thingClasses + 1),
      shapes.maskHead(network.store, classes: thingClasses + 1, architecture),
      shapes.semanticHead(network.store, classes: stuffClasses + 1, architecture),
      shapes.attention(network.store, architecture),
    ].filter { !$0.parts.isEmpty }
  }

  private static func backbone(
    _ configuration: BackboneConfiguration, path: [Int], store: ParameterStore, height: Int, width: Int
  ) -> Module {
    let family = configuration.family.definition
    return Module(
      kind: .backbone,
      parts: family.parts(configuration, path: path, height: height, width: width).map { Part($0, store) })
  }
}

extension NetworkDescription.Part {
  /// With the parameters of a network that has the part.
  fileprivate init(_ part: NetworkPart, _ store: ParameterStore) {
    self.init(
      name: part.name, operation: part.operation, output: part.output, parameters: part.parameters.count(in: store),
      multiplyAdds: part.multiplyAdds)
  }
}

/// The parts after the backbone, from the sizes of the pyramid's levels.
private struct Shapes {
  let configuration: NetworkConfiguration
  let layers: [SearchedLayer]
  let space: SearchSpace
  /// Rows and columns of P2 to P6.
  let levels: [(height: Int, width: Int)]
  let channels: Int

  init(_ configuration: NetworkConfiguration, height: Int, width: Int) {
    self.configuration = configuration
    layers = configuration.searchedLayers
    space = configuration.searchSpace
    channels = configuration.pyramidChannels
    levels = FeaturePyramid.strides.map { ((height + $0 - 1) / $0, (width + $0 - 1) / $0) }
  }

  private func area(_ level: Int) -> Int { levels[level].height * levels[level].width }

  func pyramid(_ store: ParameterStore) -> NetworkDescription.Module {
    let inputs = configuration.backbone.stageChannels
    let parts = inputs.indices.flatMap { i in
      [("lateral", "conv 1x1", inputs[i]), ("output", "conv 3x3", 9 * channels)].map { name, operation, inner in
        NetworkDescription.Part(
          name: "\(name) P\(i + 2)", operation: operation,
          output: "\(channels) × \(levels[i].height) × \(levels[i].width)",
          parameters: store.count(below: "pyramid/\(name)\(i + 2)/"), multiplyAdds: inner * channels * area(i))
      }
    }
    return .init(kind: .pyramid, parts: parts)
  }

  func proposals(_ store: ParameterStore) -> NetworkDescription.Module {
    let anchors = configuration.anchors.ratios.count
    let positions = levels.indices.reduce(0) { $0 + area($1) }
    func part(_ name: String, _ operation: String, outputs: Int, inner: Int) -> NetworkDescription.Part {
      .init(
        name: name, operation: operation, output: "\(outputs) × \(positions) cells of P2 to P6",
        parameters: store.count(below: "proposals/\(name)/"), multiplyAdds: inner * outputs * positions)
    }
    return .init(
      kind: .proposals,
      parts: [
        part("shared", "conv 3x3", outputs: channels, inner: 9 * channels),
        part("objectness", "conv 1x1", outputs: anchors, inner: channels),
        part("deltas", "conv 1x1", outputs: 4 * anchors, inner: channels),
      ])
  }

  func boxHead(_ store: ParameterStore, classes: Int) -> NetworkDescription.Module {
    let head = configuration.boxHead
    let regions = configuration.proposals.postNMSTest
    let pooled = channels * head.pooledSize * head.pooledSize
    let layers = [
      ("hidden1", pooled, head.hidden), ("hidden2", head.hidden, head.hidden), ("scores", head.hidden, classes),
      ("deltas", head.hidden, 4 * classes),
    ]
    return .init(
      kind: .boxHead,
      parts: layers.map { name, inputs, outputs in
        .init(
          name: name, operation: "linear", output: "\(regions) regions × \(outputs)",
          parameters: store.count(below: "box/\(name)/"), multiplyAdds: regions * inputs * outputs)
      })
  }

  func maskHead(_ store: ParameterStore, classes: Int, _ architecture: Architecture) -> NetworkDescription.Module {
    let head = configuration.maskHead
    let regions = configuration.boxHead.detectionsPerImage
    let (area, side) = (head.pooledSize * head.pooledSize, head.pooledSize)
    var parts = searched(
      .mask, store, architecture, positions: regions * area,
      output: "\(regions) regions × \(head.channels) × \(side) × \(side)")
    parts.append(
      .init(
        name: "upscale", operation: "transposed conv 2x2",
        output: "\(regions) regions × \(head.channels) × \(2 * side) × \(2 * side)",
        parameters: store.count(below: "mask/upscale/"),
        multiplyAdds: regions * area * 4 * head.channels * head.channels))
    parts.append(
      .init(
        name: "maps", operation: "conv 1x1", output: "\(regions) regions × \(classes) × \(2 * side) × \(2 * side)",
        parameters: store.count(below: "mask/maps/"), multiplyAdds: regions * 4 * area * head.channels * classes))
    return .init(kind: .maskHead, parts: parts)
  }

  func semanticHead(
    _ store: ParameterStore, classes: Int, _ architecture: Architecture
  ) -> NetworkDescription.Module {
    let shapes = SemanticHeadShapes(
      configuration: configuration, classes: classes,
      levels: Array(levels.prefix(configuration.backbone.stageChannels.count)),
      choices: architecture.choices(of: .semantic, in: space))
    let layers = configuration.semantic.head.definition.layers(shapes)
    return .init(kind: .semanticHead, parts: layers.map { .init($0, store) })
  }

  func attention(_ store: ParameterStore, _ architecture: Architecture) -> NetworkDescription.Module {
    .init(
      kind: .attention,
      parts: searched(
        .thingsToStuff, store, architecture, positions: 1, output: "\(configuration.semantic.channels)")
        + searched(.stuffToThings, store, architecture, positions: 1, output: "\(channels)"))
  }

  /// The searched layers of a component, each with what the architecture chose.
  /// - Parameter positions: of each, over all that it runs on.
  private func searched(
    _ component: SearchSpace.Component, _ store: ParameterStore, _ architecture: Architecture, positions: Int,
    output: String
  ) -> [NetworkDescription.Part] {
    zip(layers.of(component), architecture.choices(of: component, in: space)).map { layer, choice in
      .init(NetworkPart(layer, choice: choice, output: output, before: positions, after: positions), store)
    }
  }
}
