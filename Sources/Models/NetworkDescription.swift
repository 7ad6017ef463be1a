import NN
import Search

/// A network as the list of its parts, with exact parameters and multiply-adds: what `model describe` prints.
///
/// Parameters are counted on a network that is built for it; multiply-adds follow from shapes (spec 0.4: convolutions
/// and linear layers, without biases, normalisation, pooling and resampling).
public struct NetworkDescription: Sendable {
  public struct Part: Sendable {
    /// Such as `stage 1 block 3`.
    public var name: String
    public var operation: String
    /// Channels and positions of the output, such as `96 × 200 × 272`; a head that runs on regions says how many.
    public var output: String
    public var parameters: Int
    public var multiplyAdds: Int
  }

  /// A group of parts that the paper names together.
  public struct Module: Sendable {
    public var name: String
    public var parts: [Part]

    public var parameters: Int { parts.reduce(0) { $0 + $1.parameters } }
    public var multiplyAdds: Int { parts.reduce(0) { $0 + $1.multiplyAdds } }
  }

  public let modules: [Module]
  public let height: Int
  public let width: Int

  public var parameters: Int { modules.reduce(0) { $0 + $1.parameters } }
  public var multiplyAdds: Int { modules.reduce(0) { $0 + $1.multiplyAdds } }

  /// A body with its ImageNet classifier of a thousand classes, on a square image.
  public init(classifier configuration: BodyConfiguration, path: [Int], side: Int = 224) {
    (height, width) = (side, side)
    let classes = 1000
    let network = Classifier(
      configuration, choices: .fixed(path), classes: classes, dropout: 0, momentum: 0.1, seeds: nil)
    let body = NetworkDescription.body(
      configuration, path: path, store: network.store, height: side, width: side)
    let (cells, inputs) = (((side + 31) / 32) * ((side + 31) / 32), configuration.stageChannels[3])
    let channels = configuration.classifierChannels
    modules = [
      body,
      Module(
        name: "classifier",
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
    let body = NetworkDescription.body(
      configuration.body, path: architecture.backbone, store: network.store, height: height, width: width)
    modules = [
      body, shapes.pyramid(network.store), shapes.proposals(network.store),
      shapes.boxHead(network.store, classes: thingClasses + 1),
      shapes.maskHead(network.store, classes: thingClasses + 1, architecture),
      shapes.semanticBranch(network.store, classes: stuffClasses + 1, architecture),
      shapes.attention(network.store, architecture),
    ].filter { !$0.parts.isEmpty }
  }

  private static func body(
    _ configuration: BodyConfiguration, path: [Int], store: ParameterStore, height: Int, width: Int
  ) -> Module {
    let (h, w) = ((height + 1) / 2, (width + 1) / 2)
    let stem = configuration.stemChannels
    var parts = [
      Part(
        name: "stem", operation: "conv 3x3 /2", output: "\(stem) × \(h) × \(w)",
        parameters: store.count(below: "body/stem/"), multiplyAdds: 27 * stem * h * w)
    ]
    if configuration.family == .resnet {
      parts = configuration.bottlenecks(height: height, width: width).map {
        Part(
          name: $0.name, operation: $0.operation, output: "\($0.outputs) × \($0.height) × \($0.width)",
          parameters: store.count(below: $0.prefix), multiplyAdds: $0.multiplyAdds)
      }
      return Module(name: "body", parts: parts)
    }
    for block in configuration.blocks(path: path, height: height, width: width) {
      parts.append(
        Part(
          name: block.layer.id.description, operation: block.operation + (block.isHalving ? " /2" : ""),
          output: "\(block.outputs) × \(block.height) × \(block.width)",
          parameters: store.count(of: block.layer.id), multiplyAdds: block.multiplyAdds))
    }
    return Module(name: "body", parts: parts)
  }
}

/// The parts behind the body, from the sizes of the pyramid's levels.
private struct Shapes {
  let configuration: NetworkConfiguration
  /// Rows and columns of P2 to P6.
  let levels: [(height: Int, width: Int)]
  let channels: Int

  init(_ configuration: NetworkConfiguration, height: Int, width: Int) {
    self.configuration = configuration
    channels = configuration.pyramidChannels
    levels = PanopticNetwork.strides.map { ((height + $0 - 1) / $0, (width + $0 - 1) / $0) }
  }

  private func area(_ level: Int) -> Int { levels[level].height * levels[level].width }

  func pyramid(_ store: ParameterStore) -> NetworkDescription.Module {
    let inputs = configuration.body.stageChannels
    let parts = inputs.indices.flatMap { i in
      [("lateral", "conv 1x1", inputs[i]), ("output", "conv 3x3", 9 * channels)].map { name, operation, inner in
        NetworkDescription.Part(
          name: "\(name) P\(i + 2)", operation: operation,
          output: "\(channels) × \(levels[i].height) × \(levels[i].width)",
          parameters: store.count(below: "pyramid/\(name)\(i + 2)/"), multiplyAdds: inner * channels * area(i))
      }
    }
    return .init(name: "feature pyramid", parts: parts)
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
      name: "region proposals",
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
      name: "box head",
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
    return .init(name: "mask head", parts: parts)
  }

  func semanticBranch(
    _ store: ParameterStore, classes: Int, _ architecture: Architecture
  ) -> NetworkDescription.Module {
    let branch = configuration.semantic
    let inputs = configuration.body.stageChannels.count
    guard branch.branch == .searched else { return towers(store, classes: classes) }
    let positions = (0..<inputs).reduce(0) { $0 + area($1) }
    var parts = searched(
      .semantic, store, architecture, positions: positions,
      output: "\(branch.channels) × \(positions) cells of P2 to P5")
    parts.append(
      .init(
        name: "classes", operation: "conv 1x1", output: "\(classes) × \(levels[0].height) × \(levels[0].width)",
        parameters: store.count(below: "semantic/classifier/"),
        multiplyAdds: (branch.merge == .concatenate ? inputs : 1) * branch.channels * classes * area(0)))
    return .init(name: "semantic branch", parts: parts)
  }

  /// Of Panoptic-FPN: convolutions of every level, each at twice the size of the one before.
  private func towers(_ store: ParameterStore, classes: Int) -> NetworkDescription.Module {
    let branch = configuration.semantic
    let isDeformable = branch.branch == .panopticFPNDeformable
    var parts = configuration.body.stageChannels.indices.flatMap { level in
      (0..<max(1, level)).map { i in
        let inputs = i == 0 ? channels : branch.channels
        let positions = area(level) << (2 * i)
        return NetworkDescription.Part(
          name: "semantic P\(level + 2) layer \(i + 1)",
          operation: isDeformable ? HeadOperator.deformable3x3.name : HeadLayer.plainName,
          output: "\(branch.channels) × \(positions) cells",
          parameters: store.count(below: "semantic/tower\(level + 2)/conv\(i + 1)/"),
          multiplyAdds: positions
            * (isDeformable
              ? HeadOperator.deformable3x3.multiplyAdds(inputs: inputs, outputs: branch.channels)
              : HeadLayer.plainMultiplyAdds(inputs: inputs, outputs: branch.channels)))
      }
    }
    let merged = branch.merge == .concatenate ? configuration.body.stageChannels.count : 1
    parts.append(
      .init(
        name: "classes", operation: "conv 1x1", output: "\(classes) × \(levels[0].height) × \(levels[0].width)",
        parameters: store.count(below: "semantic/classifier/"),
        multiplyAdds: merged * branch.channels * classes * area(0)))
    return .init(name: "semantic branch", parts: parts)
  }

  func attention(_ store: ParameterStore, _ architecture: Architecture) -> NetworkDescription.Module {
    .init(
      name: "attention",
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
    let choices = architecture.choices(of: component, in: configuration.searchSpace)
    return zip(configuration.searchedLayers.of(component), choices).map { layer, choice in
      .init(
        name: layer.id.description, operation: layer.choices[choice].name, output: output,
        parameters: store.count(of: layer.id),
        multiplyAdds: layer.choices[choice].multiplyAdds(before: positions, after: positions))
    }
  }
}
