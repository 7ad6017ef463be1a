import Determinism
import Vision

/// Everything about the panoptic network that is a number. Defaults are the paper's (spec sections 1, 3, 4); the
/// miniature profile scales those that belong to 800-pixel images.
public struct NetworkConfiguration: Codable, Hashable, Sendable {
  public var body = BodyConfiguration()

  /// Channels of every pyramid level.
  public var pyramidChannels = 256
  /// Groups of every group normalisation behind the body; 0 leaves it out, as torchvision's networks do.
  public var normGroups = 32

  public var anchors = AnchorConfiguration()
  public var proposals = ProposalConfiguration()
  public var boxHead = BoxHeadConfiguration()
  public var maskHead = MaskHeadConfiguration()
  public var semantic = SemanticConfiguration()
  public var attention = AttentionConfiguration()
  public var levelRule = LevelRuleConfiguration()

  /// Weight of the semantic loss against the others (spec 3.8).
  public var semanticLossWeight: Float = 0.3

  public enum Heads: String, Switch {
    /// The operators that the architecture names.
    case searched
    /// Dense 3×3 convolutions, whatever the architecture says (paper, table 3: "plain").
    case plain
    public static let recommended = Heads.searched
  }
  public var heads = Heads.recommended

  /// What the layers of both heads choose among.
  public var headOperators = OperatorSet<HeadOperator>.published

  public enum Boxes: String, Switch {
    /// Both corners are pixels of the box, and anchors stand about the centre of their stride's window, as published
    /// (spec 0.4, 3.3).
    case inclusive
    /// The far corner is outside, and anchors stand about the corner of their cell, as in torchvision.
    case exclusive
    public static let recommended = Boxes.inclusive

    var convention: BoxConvention { self == .inclusive ? .legacy : .exclusive }
  }
  public var boxes = Boxes.recommended

  public init() {}

  public init(body: BodyConfiguration) { self.body = body }
}

/// Anchors of the region proposal network, one size a level (spec 3.3).
public struct AnchorConfiguration: Codable, Hashable, Sendable {
  /// Side in input pixels, for P2 to P6.
  public var sizes = [32, 64, 128, 256, 512]
  /// Height over width.
  public var ratios = [0.5, 1.0, 2.0]
  public init() {}
}

/// Matching, sampling and selection of proposals (spec 3.3).
public struct ProposalConfiguration: Codable, Hashable, Sendable {
  public var positiveOverlap: Float = 0.7
  public var negativeOverlap: Float = 0.3
  /// Anchors in the loss, per image.
  public var batchPerImage = 256
  public var positiveFraction = 0.5
  public var preNMSTrain = 2000
  public var preNMSTest = 1000
  /// Kept after suppression, over all levels: of a batch in training, of each image in testing.
  public var postNMSTrain = 2000
  /// Images of such a batch, one after the other; nil for all of a pass. The published program has the two of a GPU,
  /// where a pass of ours may have sixteen.
  public var imagesPerLimit: Int?
  public var postNMSTest = 1000
  public var nmsOverlap: Float = 0.7
  public var smoothL1Beta: Double = 1.0 / 9
  public init() {}
}

/// Classification and regression of regions (spec 3.4).
public struct BoxHeadConfiguration: Codable, Hashable, Sendable {
  public var pooledSize = 7
  public var hidden = 1024
  /// Groups of the group norm after the hidden layers; 0 leaves it out and gives the layers biases.
  public var normGroups = 32
  public var positiveOverlap: Float = 0.5
  public var batchPerImage = 512
  public var positiveFraction = 0.25
  public var smoothL1Beta: Double = 1
  public var scoreThreshold: Float = 0.05
  public var nmsOverlap: Float = 0.5
  public var detectionsPerImage = 100
  public init() {}
}

/// The mask branch (spec 3.5).
public struct MaskHeadConfiguration: Codable, Hashable, Sendable {
  public var pooledSize = 14
  public var layers = 4
  public var channels = 256
  public init() {}
}

/// The semantic branch (spec 3.6).
public struct SemanticConfiguration: Codable, Hashable, Sendable {
  public var layers = 3
  public var channels = 128

  public enum Branch: String, Switch {
    /// The layers of the architecture.
    case searched
    /// Kirillov et al. 2019: convolutions and upsampling by turns, levels added.
    case panopticFPN = "panoptic-fpn"
    /// The same with deformable convolutions.
    case panopticFPNDeformable = "panoptic-fpn-deformable"
    public static let recommended = Branch.searched
  }
  public var branch = Branch.recommended

  public enum Subnet: String, Switch {
    /// One set of weights for all levels, as the published code.
    case shared
    /// Weights for each level, the same operators: "subnets at each level" of the paper.
    case perLevel = "per-level"
    public static let recommended = Subnet.shared
  }
  /// Register, row 20.
  public var subnet = Subnet.recommended

  public enum Merge: String, Switch {
    case concatenate, add
    public static let recommended = Merge.concatenate
  }
  /// How levels join before they are classified: the published code's settings say `add`, and it concatenates
  /// (register, row 21).
  public var merge = Merge.recommended

  public init() {}
}

/// Inter-modular attention (spec 4).
public struct AttentionConfiguration: Codable, Hashable, Sendable {
  public var enabled = true
  /// Reduction ratio of each choice. The published code computes 6 where its name says 16 (register, row 1).
  public var ratios = [4, 8, 6]

  public enum Source: String, Switch {
    case upperLevels = "p3-p6"
    case allLevels = "p2-p6"
    public static let recommended = Source.upperLevels
  }
  /// What the layers from things to stuff read: the published code leaves P2 out (register, row 2).
  public var source = Source.recommended

  public enum Activations: String, Switch {
    /// 1 - sigmoid(W₁ · ReLU(W₂ z)), as the published code.
    case reluInside = "relu-inside"
    /// ReLU(W₁ · (1 - sigmoid(W₂ z))), as the paper's equation reads.
    case reluOutside = "relu-outside"
    public static let recommended = Activations.reluInside
  }
  /// Register, row 4.
  public var activations = Activations.recommended

  public enum Target: String, Switch {
    /// Proposals, boxes and masks read re-weighted levels, as in the published code.
    case allHeads = "all-heads"
    /// Proposals alone: "RPN features" of the paper.
    case proposals
    public static let recommended = Target.allHeads
  }
  /// Who reads the levels that stuff re-weighted (register, row 5).
  public var target = Target.recommended

  public init() {}
}

/// Which pyramid level a region is pooled from (spec 3.4): `floor(level + log2(√area / scale + 1e-6))`.
public struct LevelRuleConfiguration: Codable, Hashable, Sendable {
  public var canonicalScale: Double = 224
  public var canonicalLevel = 4
  public init() {}
}
