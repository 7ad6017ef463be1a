import Vision

// Keys that differ from the names of their properties keep older files readable.

/// Anchors of the region proposal network, one size a level (method 3.3).
public struct AnchorConfiguration: Codable, Hashable, Sendable {
  /// Side in input pixels, for P2 to P6.
  public var sizes = [32, 64, 128, 256, 512]
  /// Height over width.
  public var ratios = [0.5, 1.0, 2.0]
  public init() {}
}

/// Matching, sampling and selection of proposals (method 3.3).
public struct ProposalConfiguration: Codable, Hashable, Sendable {
  /// From this IoU with an object on, an anchor is foreground.
  public var foregroundIoUThreshold: Float = 0.7
  /// Below this IoU with every object, an anchor is background. Between the two it enters no loss.
  public var backgroundIoUThreshold: Float = 0.3
  /// Anchors in the loss, per image.
  public var batchPerImage = 256
  /// Largest share of foreground among them.
  public var positiveFraction = 0.5
  /// Best anchors of each level that are decoded, in training.
  public var preNMSTrain = 2000
  /// The same in testing.
  public var preNMSTest = 1000
  /// Proposals kept after suppression in training: of each level, then over all images that share the limit.
  public var postNMSTrain = 2000
  /// Consecutive images that share `postNMSTrain`; nil for all of a pass. The published program has the two of a GPU,
  /// where a pass here may have sixteen.
  public var imagesPerLimit: Int?
  /// Proposals kept after suppression in testing: of each level, then of each image.
  public var postNMSTest = 1000
  /// Suppression removes a proposal whose IoU with a better one of its level is above this.
  public var nmsIoUThreshold: Float = 0.7
  /// Where the box loss turns from quadratic to linear.
  public var smoothL1Beta: Double = 1.0 / 9

  public init() {}
}

/// Classification and regression of regions (method 3.4).
public struct BoxHeadConfiguration: Codable, Hashable, Sendable {
  /// Cells per side of a pooled region.
  public var pooledSize = 7
  /// Units of each of the two hidden layers.
  public var hidden = 1024
  /// Groups of the group norm after the hidden layers; 0 leaves it out and gives the layers biases.
  public var normGroups = 32
  /// From this IoU with an object on, a proposal is foreground; below it, background.
  public var foregroundIoUThreshold: Float = 0.5
  /// Regions in the loss, per image.
  public var batchPerImage = 512
  /// Largest share of foreground among them.
  public var positiveFraction = 0.25
  /// Where the box loss turns from quadratic to linear.
  public var smoothL1Beta: Double = 1
  /// Detections need a score above this.
  public var scoreThreshold: Float = 0.05
  /// Suppression removes a detection whose IoU with a better one of its class is above this.
  public var nmsIoUThreshold: Float = 0.5
  /// Detections kept for each image, over all classes; ties with the last one stay.
  public var detectionsPerImage = 100

  public init() {}
}

/// The mask head (method 3.5).
public struct MaskHeadConfiguration: Codable, Hashable, Sendable {
  /// Cells per side of a pooled region; masks have twice as many.
  public var pooledSize = 14
  /// Searched layers.
  public var layers = 4
  /// Channels of every layer.
  public var channels = 256
  public init() {}
}

/// Which pyramid level a region is pooled from (method 3.4): `floor(level + log2(√area / scale + 1e-6))`.
public struct LevelRuleConfiguration: Codable, Hashable, Sendable {
  /// Side in input pixels of a square region that is pooled from the canonical level.
  public var canonicalScale: Double = 224
  /// 4 is P4, at stride 16.
  public var canonicalLevel = 4
  public init() {}
}
