import Autograd
import Determinism
import NN
import Search
import Tensors
import Vision

// N images, C channels, R regions, A anchors a cell. P2...P6 pyramid levels at strides 4...64; S2...S5 semantic
// features, all at P2's size.

/// What a network holds of the search space: everything, or one architecture.
public enum NetworkContent: Sendable, Hashable {
  case supernet
  case fixed(Architecture)

  var body: BodyChoices {
    switch self {
    case .supernet: .supernet
    case .fixed(let architecture): .fixed(architecture.backbone)
    }
  }
}

/// The panoptic network of spec sections 1, 3 and 4: body, pyramid, region proposals, box, mask and semantic heads,
/// inter-modular attention.
public final class PanopticNetwork {
  public let configuration: NetworkConfiguration
  /// Thing classes; the box head has one output more, for background.
  public let thingClasses: Int
  /// Stuff classes; the semantic branch has one output more, for all things.
  public let stuffClasses: Int
  public let store: ParameterStore
  public let body: Body
  let pyramid: FeaturePyramid
  let proposalHead: RegionProposalHead
  let boxHead: BoxHead
  let maskHead: MaskHead
  let semanticBranch: SemanticBranch
  /// Things to stuff, one layer for each of S2...S5; empty where attention is off.
  let attentionToStuff: [AttentionLayer]
  /// Stuff to things, one layer for each of P2...P6.
  let attentionToThings: [AttentionLayer]
  let anchors: AnchorGenerator
  /// What a supernet of its configuration spans.
  public let searchSpace: SearchSpace

  static let strides = [4, 8, 16, 32, 64]

  /// Values of a batch of pictures, as many as four of 256×256 in three channels have, from which memory counts more
  /// than time: passes run one at a time, and blocks of the body are computed again on the way back.
  public static let largeInput = 3 * 256 * 256 * 4

  /// Of everything that is measured, decoded and suppressed; objects of the data are inclusive.
  let boxConvention: BoxConvention

  /// - Parameter batchNormMomentum: 0.1 for a supernet, 0.01 for one architecture (spec 1.5).
  public init(
    _ configuration: NetworkConfiguration, thingClasses: Int, stuffClasses: Int, content: NetworkContent,
    batchNormMomentum: Double, seeds: Seeds?
  ) {
    self.configuration = configuration
    boxConvention = configuration.boxes.convention
    self.thingClasses = thingClasses
    self.stuffClasses = stuffClasses
    store = ParameterStore(seeds: seeds)
    let root = store.root
    let channels = configuration.pyramidChannels
    let groups = configuration.normGroups
    let levels = configuration.body.stageChannels.count
    let space = configuration.searchSpace
    searchSpace = space
    func chosen(_ component: SearchSpace.Component) -> [Int]? {
      guard case .fixed(let architecture) = content else { return nil }
      return architecture.choices(of: component, in: space)
    }

    body = Body(
      root.sub("body"), configuration.body, choices: content.body, style: BodyStyle(momentum: batchNormMomentum))
    pyramid = FeaturePyramid(
      root.sub("pyramid"), inputs: configuration.body.stageChannels, channels: channels, normGroups: groups)
    proposalHead = RegionProposalHead(
      root.sub("proposals"), channels: channels, anchorsPerCell: configuration.anchors.ratios.count)
    boxHead = BoxHead(root.sub("box"), channels: channels, classes: thingClasses + 1, configuration.boxHead)
    maskHead = MaskHead(
      root.sub("mask"), inputs: channels, classes: thingClasses + 1, configuration.maskHead, normGroups: groups,
      operators: configuration.headOperators, choices: chosen(.mask), heads: configuration.heads)
    semanticBranch = SemanticBranch(
      root.sub("semantic"), inputs: channels, levels: levels, classes: stuffClasses + 1, configuration.semantic,
      normGroups: groups, operators: configuration.headOperators,
      choices: chosen(.semantic), heads: configuration.heads)
    func attention(
      _ name: String, _ component: SearchSpace.Component, _ id: (Int) -> LayerID, inputs: Int, outputs: Int
    ) -> [AttentionLayer] {
      let choices = chosen(component)
      return (0..<space.layers(in: component)).map { i in
        AttentionLayer(
          root.sub(name).sub(i).layer(id(i)), inputs: inputs, outputs: outputs, ratios: configuration.attention.ratios,
          activations: configuration.attention.activations, choice: choices?[i])
      }
    }
    attentionToStuff = attention(
      "attention-to-stuff", .thingsToStuff, LayerID.thingsToStuff, inputs: configuration.attentionSources * channels,
      outputs: configuration.semantic.channels)
    attentionToThings = attention(
      "attention-to-things", .stuffToThings, LayerID.stuffToThings,
      inputs: levels * configuration.semantic.channels, outputs: channels)
    anchors = AnchorGenerator(
      levels: zip(PanopticNetwork.strides, configuration.anchors.sizes).map {
        AnchorGenerator.Level(stride: $0, sizes: [Double($1)])
      }, ratios: configuration.anchors.ratios, convention: boxConvention)
    let built = Set(configuration.builtLayers.map(\.id))
    precondition(
      store.layers == built, "PanopticNetwork: built layers \(store.layers), the configuration lists \(built)")
  }

  /// The choices that a path says for one component.
  func choices(of component: SearchSpace.Component, in path: Architecture) -> [Int] {
    path.choices(of: component, in: searchSpace)
  }

  /// The features that all heads work on.
  struct Features {
    /// P2...P6 as the proposal head reads them, re-weighted where there is attention.
    var proposalLevels: [Variable]
    /// P2...P6 as both region heads read them: the same, unless `AttentionConfiguration.target` says otherwise.
    var levels: [Variable]
    /// Semantic scores `[N, stuff + 1, H / 4, W / 4]` before softmax; see `SemanticBranch.enlarged`.
    var semanticScores: Variable
  }

  /// The data flow of spec 3.2.
  ///
  /// - Parameter images: `[N, 3, H, W]`, sides multiples of 32 (spec 5.2).
  func features(_ images: Variable, path: Architecture) -> Features {
    // The body of one picture of 800×1088 pixels would keep three gigabytes or more.
    let isLarge = images.value.count >= PanopticNetwork.largeInput
    let raw = pyramid(body(images, path: path.backbone, recomputesBlocks: isLarge))
    var semantic = semanticBranch.features(Array(raw.dropLast()), path: choices(of: .semantic, in: path))
    var levels = raw
    if configuration.attention.enabled {
      let (height, width) = (raw[0].shape[2], raw[0].shape[3])
      // The mean of a concatenation is the concatenation of the means.
      let things = concatenate(
        (configuration.attention.source == .allLevels ? [globalAveragePool(raw[0])] : [])
          + raw.dropFirst().map {
            globalAveragePool(resizeBilinear($0, height: height, width: width, alignCorners: true))
          })
      let stuff = concatenate(semantic.map { globalAveragePool($0) })
      levels = zip(zip(raw, attentionToThings), choices(of: .stuffToThings, in: path)).map { pair, choice in
        scaleChannels(pair.0, by: pair.1(stuff, choice: choice))
      }
      semantic = zip(zip(semantic, attentionToStuff), choices(of: .thingsToStuff, in: path)).map { pair, choice in
        scaleChannels(pair.0, by: pair.1(things, choice: choice))
      }
    }
    return Features(
      proposalLevels: levels, levels: configuration.attention.target == .proposals ? raw : levels,
      semanticScores: semanticBranch.scores(semantic))
  }
}
