import Determinism

/// Widths and depths of a body. Defaults: the ShuffleNetV2-style supernet of 1.3G (spec 1.1).
public struct BodyConfiguration: Codable, Hashable, Sendable {
  public var stemChannels = 48
  /// Output channels of stages 1 to 4 (C2 to C5); even numbers, since blocks split them in half.
  public var stageChannels = [96, 240, 480, 960]
  /// Blocks in each stage; their sum is L1, the length of the genome's first part.
  public var stageBlocks = [8, 8, 16, 8]
  /// Channels of the last convolution before the classifier.
  public var classifierChannels = 1024
  /// Where γ of the last norm of a block's main branch starts, in blocks that keep the resolution. The published
  /// programs start at 1. Less lets what bypasses a block dominate at first: forty blocks at 1 multiply gradients by
  /// thousands on their way back, which long trainings outgrow and short ones don't.
  public var branchScale: Float = 1
  /// Where β of norms in front of a ReLU starts, for γ at 1; nil as published, 1e-4, from where each ReLU cuts half of
  /// what comes. From 1 it cuts little at first: the body starts nearer to a linear function, which short trainings
  /// get somewhere with.
  public var reluShift: Float?

  public enum Family: String, Switch {
    /// Choice blocks (spec 1.4), which the search chooses among.
    case shuffle
    /// Bottleneck blocks of ResNet (He et al. 2016), which have no choices: a quarter of the channels inside. The body
    /// of the Panoptic-FPN baselines.
    case resnet
    public static let recommended = Family.shuffle
  }
  public var family = Family.recommended

  /// What the layers of choice blocks choose among.
  public var operators = OperatorSet<BackboneOperator>.published

  public enum Halving: String, Switch {
    /// The first convolution, as in the original and in Detectron.
    case first
    /// The 3×3 one, as in torchvision.
    case spatial
    public static let recommended = Halving.first
  }
  /// Which convolution of a bottleneck block has the stride.
  public var halving = Halving.recommended

  public enum NormVariance: String, Switch {
    case biased
    /// As the published cross-GPU normalisation (spec 1.5).
    case unbiased
    public static let recommended = NormVariance.biased
  }
  /// The variance that batch norm divides by in training.
  public var normVariance = NormVariance.recommended

  public enum InitialDeviation: String, Switch {
    /// Outputs of a convolution vary as much as its inputs do.
    case inverseRoot = "inverse-root"
    /// As published (spec 2.2). Batch norm takes the scale out again, but a step of the optimiser turns a shorter weight
    /// further, so long trainings with small rates start faster.
    case inverse
    public static let recommended = InitialDeviation.inverseRoot
  }
  /// Standard deviation of the first weights, by the inputs of a convolution's group: of choice blocks, and of the last
  /// convolution before a classifier. Weights that are loaded replace them.
  public var initialDeviation = InitialDeviation.recommended

  public init() {}

  public init(stemChannels: Int, stageChannels: [Int], stageBlocks: [Int] = [8, 8, 16, 8], classifierChannels: Int) {
    self.stemChannels = stemChannels
    self.stageChannels = stageChannels
    self.stageBlocks = stageBlocks
    self.classifierChannels = classifierChannels
  }

  public var blockCount: Int { stageBlocks.reduce(0, +) }

  /// Spec 1.1, for search.
  public static let search1G3 = BodyConfiguration()
  /// Spec 1.1, for the searched architecture.
  public static let retrain3G8 = BodyConfiguration(
    stemChannels: 72, stageChannels: [172, 432, 864, 1728], classifierChannels: 1728)
  /// ResNet-50.
  public static let resNet50: BodyConfiguration = {
    var body = BodyConfiguration(
      stemChannels: 64, stageChannels: [256, 512, 1024, 2048], stageBlocks: [3, 4, 6, 3], classifierChannels: 2048)
    body.family = .resnet
    return body
  }()
  /// Spec 1.1, DetNAS only.
  public static let detNAS300M = BodyConfiguration(
    stemChannels: 16, stageChannels: [64, 160, 320, 640], stageBlocks: [4, 4, 8, 4], classifierChannels: 1024)
}
