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

/// The panoptic network of spec sections 1, 3 and 4: backbone, pyramid, region proposals, heads for regions, semantic
/// head and inter-modular attention. It connects them; each has its own losses and inference.
public final class PanopticNetwork {
  public let configuration: NetworkConfiguration
  /// Classes of things; the box head has one output more, for background.
  public let thingClasses: Int
  /// Classes of stuff; the semantic head has one output more, for all things.
  public let stuffClasses: Int
  public let store: ParameterStore
  public let backbone: any Backbone
  let pyramid: FeaturePyramid
  let proposals: RegionProposalNetwork
  let roiHeads: RoIHeads
  let semanticHead: any SemanticHead
  /// Nil where attention is off.
  let attention: InterModularAttention?

  static let strides = [4, 8, 16, 32, 64]

  /// Values of a batch of images, as many as four of 256×256 in three channels have, from which memory counts more than
  /// time: passes run one at a time, and blocks of the backbone are computed again in the backward pass.
  public static let largeInput = 3 * 256 * 256 * 4

  /// - Parameters:
  ///   - batchNormMomentum: 0.1 for a supernet, 0.01 for one architecture (spec 1.5).
  ///   - parts: finds backbone and semantic head by the names that the configuration has for them.
  public init(
    _ configuration: NetworkConfiguration, thingClasses: Int, stuffClasses: Int, content: NetworkContent,
    batchNormMomentum: Double, seeds: Seeds?, parts: NetworkParts = .standard
  ) {
    self.configuration = configuration
    self.thingClasses = thingClasses
    self.stuffClasses = stuffClasses
    store = ParameterStore(seeds: seeds)
    let root = store.root
    let choices = configuration.choices(of: content)
    backbone = parts.backbone(configuration.backbone.family).make(
      root.sub("body"), configuration.backbone, choices: content.backbone,
      settings: BlockSettings(configuration.backbone, momentum: batchNormMomentum))
    pyramid = FeaturePyramid(
      root.sub("pyramid"), inputs: configuration.backbone.stageChannels, channels: configuration.pyramidChannels,
      normGroups: configuration.normGroups)
    proposals = RegionProposalNetwork(root.sub("proposals"), configuration)
    roiHeads = RoIHeads(root, configuration, thingClasses: thingClasses, maskChoices: choices?.mask)
    semanticHead = parts.semanticHead(configuration.semantic.head).make(
      SemanticHeadSetting(
        scope: root.sub("semantic"), configuration: configuration, classes: stuffClasses + 1,
        choices: choices?.semantic))
    attention =
      configuration.attention.enabled ? InterModularAttention(root, configuration, choices: choices?.attention) : nil
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

  /// The data flow of spec 3.2.
  ///
  /// - Parameter images: `[N, 3, H, W]`, sides multiples of 32 (spec 5.2).
  func features(_ images: Variable, path: Architecture) -> Features {
    // The backbone of one image of 800×1088 pixels would keep three gigabytes or more.
    let isLarge = images.value.count >= PanopticNetwork.largeInput
    let choices = configuration.choices(of: path)
    let raw = pyramid(backbone(images, path: path.backbone, recomputesBlocks: isLarge))
    var semantic = semanticHead.features(Array(raw.dropLast()), path: choices.semantic)
    var levels = raw
    if let attention { (levels, semantic) = attention(raw, semantic: semantic, path: choices.attention) }
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
      path: configuration.choices(of: path).mask, random: &random)
    let semantic = semanticHead.loss(features.semanticScores, labels: targets.flatMap(\.semantic))
    let total = weightedSum(
      [objectness, proposalBox, classification, box, mask, semantic],
      weights: [1, 1, 1, 1, 1, configuration.semanticLossWeight])
    return PanopticLosses(
      objectness: objectness, proposalBox: proposalBox, classification: classification, box: box, mask: mask,
      semantic: semantic, total: total)
  }

  /// Runs inference on one image (spec 3.3 to 3.6, rows "test").
  ///
  /// - Parameters:
  ///   - image: `[1, 3, H, W]`, padded; in a pass of mode `.evaluation`.
  ///   - width, height: before padding.
  public func predict(_ image: Variable, width: Int, height: Int, path: Architecture) -> ImagePrediction {
    precondition(image.shape[0] == 1, "predict: a batch of \(image.shape[0]) images")
    let features = features(image, path: path)
    let boxes = proposals.testingProposals(proposals(features.proposalLevels), width: width, height: height)
    var detections = roiHeads.detections(
      boxes, levels: features.levels, width: width, height: height, path: configuration.choices(of: path).mask)
    for i in detections.indices {
      detections[i].box = detections[i].box.inclusive(from: configuration.boxes.convention)
    }
    return ImagePrediction(
      detections: detections, maskSize: roiHeads.maskSize,
      semantic: semanticHead.labels(features.semanticScores, width: width, height: height), width: width,
      height: height)
  }
}

extension NetworkConfiguration {
  /// The choices of the parts that have searched layers, but for the backbone.
  struct PartChoices {
    var mask: [Int]
    var semantic: [Int]
    /// Things to stuff first.
    var attention: [Int]
  }

  /// - Precondition: `validate` finds nothing.
  func choices(of architecture: Architecture) -> PartChoices {
    PartChoices(
      mask: Array(architecture.head[..<maskHead.layers]), semantic: Array(architecture.head[maskHead.layers...]),
      attention: architecture.inter)
  }

  /// Nil for a supernet, which holds all.
  func choices(of content: NetworkContent) -> PartChoices? {
    if case .fixed(let architecture) = content { choices(of: architecture) } else { nil }
  }
}
