import Determinism

/// Widths and depths of a backbone. Defaults: the ShuffleNetV2-style supernet of 1.3G (method 1.1).
public struct BackboneConfiguration: Codable, Hashable, Sendable {
  /// Output channels of the stem.
  public var stemChannels = 48
  /// Output channels of stages 1 to 4 (C2 to C5); even numbers, since blocks split them in half.
  public var stageChannels = [96, 240, 480, 960]
  /// Blocks in each stage; their sum is L1, the length of the genome's first part.
  public var stageBlocks = [8, 8, 16, 8]
  /// Channels of the last convolution before the classifier.
  public var classifierChannels = 1024
  /// Where γ of the last norm of a block's main branch starts, in blocks that keep the resolution; published programs
  /// start at 1. At 1 the gradients of forty blocks grow by a factor of thousands in the backward pass, which long
  /// trainings outgrow and short ones do not. Smaller values let the identity branch dominate at first.
  public var branchScale: Float = 1
  /// Where β of norms before a ReLU starts, for γ at 1; nil is the published 1e-4, from where each ReLU cuts half of its
  /// input. From 1 it cuts little at first, so the backbone starts close to a linear function, which helps short
  /// trainings.
  public var reluShift: Float?

  /// Which kind of backbone it is.
  public var family = BackboneKind.recommended

  /// What the layers of choice blocks choose among.
  public var operators = OperatorSet<BackboneOperator>.published

  /// Which convolution of a ResNet's bottleneck block has the stride.
  public var bottleneckStride = BottleneckStride.recommended

  /// The variance that batch norm divides by in training.
  public var normVariance = NormVariance.recommended

  /// Standard deviation of the first weights, of choice blocks and of the last convolution before a classifier. Loaded
  /// weights replace them.
  public var initStd = InitStd.recommended

  public init() {}

  public init(stemChannels: Int, stageChannels: [Int], stageBlocks: [Int] = [8, 8, 16, 8], classifierChannels: Int) {
    self.stemChannels = stemChannels
    self.stageChannels = stageChannels
    self.stageBlocks = stageBlocks
    self.classifierChannels = classifierChannels
  }

  /// Blocks of all stages.
  public var blockCount: Int { stageBlocks.reduce(0, +) }

  /// Method 1.1, for search.
  public static let search1G3 = BackboneConfiguration()
  /// Method 1.1, for the searched architecture.
  public static let retrain3G8 = BackboneConfiguration(
    stemChannels: 72, stageChannels: [172, 432, 864, 1728], classifierChannels: 1728)
  /// ResNet-50.
  public static let resNet50: BackboneConfiguration = {
    var backbone = BackboneConfiguration(
      stemChannels: 64, stageChannels: [256, 512, 1024, 2048], stageBlocks: [3, 4, 6, 3], classifierChannels: 2048)
    backbone.family = .resNet
    return backbone
  }()
  /// Method 1.1, DetNAS only.
  public static let detNAS300M = BackboneConfiguration(
    stemChannels: 16, stageChannels: [64, 160, 320, 640], stageBlocks: [4, 4, 8, 4], classifierChannels: 1024)
}

/// Which convolution of a bottleneck block has the stride.
public enum BottleneckStride: String, Switch {
  /// The first 1×1 convolution, as in the original and in Detectron.
  case in1x1 = "1x1"
  /// The 3×3 convolution, as in torchvision.
  case in3x3 = "3x3"
  public static let recommended = BottleneckStride.in1x1
}

/// The variance that batch norm divides by in training.
public enum NormVariance: String, Switch {
  case biased
  /// As the published cross-GPU normalisation (method 1.5).
  case unbiased
  public static let recommended = NormVariance.biased
}

/// Standard deviation of first weights, from the input channels of a convolution's group.
public enum InitStd: String, Switch {
  /// 1 / √inputs: outputs of a convolution vary as much as its inputs do.
  case inverseRoot = "inverse-root"
  /// 1 / inputs, as published (method 2.2). Batch norm removes the scale again, but a step of the optimiser changes the
  /// direction of a shorter weight more, so long trainings with small rates start faster.
  case inverse
  public static let recommended = InitStd.inverseRoot
}
