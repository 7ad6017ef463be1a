import Autograd
import Determinism
import NN
import Search
import Tensors
import Vision

// N images, C channels. P2...P6 pyramid levels at strides 4...64; S2...S5 semantic features, all at P2's size.

/// What a network holds of the search space: everything, or one architecture.
public enum NetworkContent: Sendable, Hashable {
  case supernet
  case fixed(Architecture)

  var backbone: BackboneChoices {
    switch self {
    case .supernet: .supernet
    case .fixed(let architecture): .fixed(architecture.backbone)
    }
  }
}

/// The panoptic network of method 1, 3 and 4: backbone, pyramid, region proposals, heads for regions, semantic
/// head and inter-modular attention. It connects them; each has its own losses and inference.
public final class PanopticNetwork {
  /// What it was built from.
  public let configuration: NetworkConfiguration
  /// Classes of things; the box head has one output more, for background.
  public let thingClasses: Int
  /// Classes of stuff; the semantic head has one output more, for all things.
  public let stuffClasses: Int
  /// All parameters and statistics, in the order in which they were made.
  public let store: ParameterStore
  /// Batch norm is in the backbone alone, so recalibration needs nothing else.
  public let backbone: any Backbone
  let pyramid: FeaturePyramid
  let proposals: RegionProposalNetwork
  let roiHeads: RoIHeads
  let semanticHead: any SemanticHead
  /// Nil where attention is off.
  let attention: InterModularAttention?
  /// What a supernet of its configuration spans.
  public let searchSpace: SearchSpace

  /// Values of a batch of images, as many as four of 256×256 in three channels have, from which memory counts more than
  /// time: passes run one at a time, and blocks of the backbone are computed again in the backward pass.
  public static let largeInput = 3 * 256 * 256 * 4

  /// - Parameter batchNormMomentum: 0.1 for a supernet, 0.01 for one architecture (method 1.5).
  public init(
    _ configuration: NetworkConfiguration, thingClasses: Int, stuffClasses: Int, content: NetworkContent,
    batchNormMomentum: Double, seeds: Seeds?
  ) {
    self.configuration = configuration
    self.thingClasses = thingClasses
    self.stuffClasses = stuffClasses
    store = ParameterStore(seeds: seeds)
    let root = store.root
    let space = configuration.searchSpace
    searchSpace = space
    func chosen(_ component: SearchSpace.Component) -> [Int]? {
      guard case .fixed(let architecture) = content else { return nil }
      return architecture.choices(of: component, in: space)
    }
    backbone = configuration.backbone.family.definition.make(
      root.sub(PanopticNetwork.backboneScope), configuration.backbone, choices: content.backbone,
      settings: BlockSettings(configuration.backbone, momentum: batchNormMomentum))
    pyramid = FeaturePyramid(
      root.sub("pyramid"), inputs: configuration.backbone.stageChannels, channels: configuration.pyramidChannels,
      normGroups: configuration.normGroups, path: configuration.pyramidPath)
    proposals = RegionProposalNetwork(root.sub("proposals"), configuration)
    roiHeads = RoIHeads(root, configuration, thingClasses: thingClasses, maskChoices: chosen(.mask))
    semanticHead = configuration.semantic.head.definition.make(
      SemanticHeadSetting(
        scope: root.sub("semantic"), configuration: configuration, classes: stuffClasses + 1,
        choices: chosen(.semantic)))
    attention =
      configuration.attention.enabled ? InterModularAttention(root, configuration, choices: chosen) : nil
    checkLayers(configuration.searchedLayers)
  }

  /// What was built must be what is listed, whose costs, rates and choices count. The layers of a semantic head that is
  /// not searched are listed, since genomes have places for them.
  private func checkLayers(_ listed: [SearchedLayer]) {
    let all = Set(listed.map(\.id))
    let others = all.subtracting(listed.of(.semantic).map(\.id))
    precondition(
      store.layers == all || store.layers == others,
      "PanopticNetwork: built layers \(store.layers), the configuration lists \(all)")
  }

  /// The choices that a path says for a component.
  private func choices(of component: SearchSpace.Component, in path: Architecture) -> [Int] {
    path.choices(of: component, in: searchSpace)
  }

  /// Where the backbone's parameters are, in a classifier too: the names of its state are those of a network's.
  static let backboneScope = "body"

  /// Takes the backbone from the state of a classifier or a network.
  /// - Throws: `StateError` where something is missing or of another shape; then nothing is changed.
  public func loadBackbone(from state: StateDictionary) throws {
    try store.load(state, prefix: PanopticNetwork.backboneScope + "/")
  }

  /// The features that all heads work on.
  struct Features {
    /// P2...P6 as the region proposal network reads them, re-weighted where there is attention.
    var proposalLevels: [Variable]
    /// P2...P6 as both region heads read them: the same, unless `AttentionConfiguration.target` says otherwise.
    var levels: [Variable]
    /// Semantic scores `[N, stuff + 1, H / 4, W / 4]` before softmax.
    var semanticScores: Variable
  }

  /// The data flow of method 3.2.
  ///
  /// - Parameter images: `[N, 3, H, W]`, sides multiples of 32 (method 5.2).
  func features(_ images: Variable, path: Architecture) -> Features {
    // The backbone of one image of 800×1088 pixels would keep three gigabytes or more.
    let isLarge = images.value.count >= PanopticNetwork.largeInput
    let raw = pyramid(backbone(images, path: path.backbone, recomputesBlocks: isLarge))
    var semantic = semanticHead.features(Array(raw.dropLast()), path: choices(of: .semantic, in: path))
    var levels = raw
    if let attention {
      (levels, semantic) = attention(
        raw, semantic: semantic, toStuff: choices(of: .thingsToStuff, in: path),
        toThings: choices(of: .stuffToThings, in: path))
    }
    return Features(
      proposalLevels: levels, levels: configuration.attention.target == .proposals ? raw : levels,
      semanticScores: semanticHead.scores(semantic))
  }

  /// Runs the network on a batch and compares with the targets.
  ///
  /// - Parameters:
  ///   - images: `[N, 3, H, W]`, zero-padded.
  ///   - targets: one an image.
  ///   - random: draws the sampled anchors and regions, image after image.
  public func losses(
    _ images: Variable, targets: [ImageTargets], path: Architecture, random: inout RandomStream
  ) -> PanopticLosses {
    let targets = targets.map { $0.converted(to: configuration.boxes.convention) }
    let features = features(images, path: path)
    let levels = proposals(features.proposalLevels)
    let (objectness, proposalBox) = proposals.losses(levels, targets: targets, random: &random)
    let (classification, box, mask) = roiHeads.losses(
      features.levels, proposals: proposals.trainingProposals(levels, targets: targets), targets: targets,
      path: choices(of: .mask, in: path), random: &random)
    let semantic = semanticHead.loss(features.semanticScores, labels: targets.flatMap(\.semantic))
    let total = weightedSum(
      [objectness, proposalBox, classification, box, mask, semantic],
      weights: [1, 1, 1, 1, 1, configuration.semanticLossWeight])
    return PanopticLosses(
      objectness: objectness, proposalBox: proposalBox, classification: classification, box: box, mask: mask,
      semantic: semantic, total: total)
  }

  /// Runs inference on one image (method 3.3 to 3.6, testing).
  ///
  /// - Parameters:
  ///   - image: `[1, 3, H, W]`, padded; in a pass of mode `.evaluation`.
  ///   - width, height: before padding.
  public func predict(_ image: Variable, width: Int, height: Int, path: Architecture) -> ImagePrediction {
    precondition(image.shape[0] == 1, "predict: a batch of \(image.shape[0]) images")
    let features = features(image, path: path)
    let boxes = proposals.testingProposals(proposals(features.proposalLevels), width: width, height: height)
    var detections = roiHeads.detections(
      boxes, levels: features.levels, width: width, height: height, path: choices(of: .mask, in: path))
    for i in detections.indices {
      detections[i].box = detections[i].box.inclusive(from: configuration.boxes.convention)
    }
    return ImagePrediction(
      detections: detections, maskSize: roiHeads.maskSize,
      semantic: semanticHead.labels(features.semanticScores, width: width, height: height), width: width,
      height: height)
  }
}
