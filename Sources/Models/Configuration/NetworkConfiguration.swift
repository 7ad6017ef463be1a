import Determinism
import Vision

/// Everything about the panoptic network that is a number. Defaults are the paper's (method 1, 3, 4); the
/// miniature profile scales those that belong to 800-pixel images.
public struct NetworkConfiguration: Codable, Hashable, Sendable {
  /// Turns the image into features at strides 4 to 32.
  public var backbone = BackboneConfiguration()

  /// Channels of every pyramid level.
  public var pyramidChannels = 256
  /// Groups of every group norm after the backbone; 0 leaves the norms out, as torchvision's networks do.
  public var normGroups = 32

  /// What a level of the pyramid gets from coarser ones.
  public enum PyramidPath: String, Switch {
    /// The sum of all coarser levels, as published.
    case topDown = "top-down"
    /// Nothing: each level has the field of view of its own stage of the backbone.
    case none
    public static let recommended = PyramidPath.topDown
  }
  /// How levels of the pyramid are connected (method 3.1).
  public var pyramidPath = PyramidPath.recommended

  /// Region proposal network.
  public var anchors = AnchorConfiguration()
  /// Matching, sampling and selection of its proposals.
  public var proposals = ProposalConfiguration()
  /// Classes and boxes of regions.
  public var boxHead = BoxHeadConfiguration()
  /// Masks of regions.
  public var maskHead = MaskHeadConfiguration()
  /// Classes of pixels.
  public var semantic = SemanticConfiguration()
  /// What things and stuff tell each other.
  public var attention = AttentionConfiguration()
  /// Which level a region is pooled from.
  public var levelRule = LevelRuleConfiguration()

  /// Weight of the semantic loss against the others (method 3.8).
  public var semanticLossWeight: Float = 0.3

  /// What searched layers of heads are made of.
  public enum Heads: String, Switch {
    /// The operators that the architecture names.
    case searched
    /// Dense 3×3 convolutions, whatever the architecture says (paper, table 3: "plain").
    case plain
    public static let recommended = Heads.searched
  }
  /// What the layers of the mask head and of the searched semantic head are made of.
  public var heads = Heads.recommended

  /// What the layers of both heads choose among, where they are searched.
  public var headOperators = OperatorSet<HeadOperator>.published

  /// How the corners of a box are read.
  public enum Boxes: String, Switch {
    /// Both corners are pixels of the box, and anchors are centred on their stride's window, as published (method 0.4,
    /// 3.3).
    case inclusive
    /// The far corner is outside, and anchors are centred on the corner of their cell, as in torchvision.
    case exclusive
    public static let recommended = Boxes.inclusive

    var convention: BoxConvention { self == .inclusive ? .legacy : .exclusive }
  }
  /// How boxes are measured, decoded and suppressed.
  public var boxes = Boxes.recommended

  public init() {}

  /// The paper's network with another backbone.
  public init(backbone: BackboneConfiguration) { self.backbone = backbone }
}
