import NN

/// How the layers of a backbone start and keep statistics; differs between ImageNet and the detector (method 1.5, 2.2).
public struct BlockSettings: Sendable {
  /// Weight of the new batch in running statistics.
  public var momentum: Double
  /// Where β starts, of norms that no ReLU follows.
  public var shift: Float = 1e-4
  /// See `BackboneConfiguration.initStd`.
  public var initStd = InitStd.recommended
  /// See `BackboneConfiguration.branchScale`.
  public var branchScale: Float = 1
  /// See `BackboneConfiguration.reluShift`.
  public var reluShift: Float
  /// See `NormVariance`.
  public var normalizesByUnbiasedVariance = false

  /// - Parameter momentum: 0.1 for a supernet and a classifier, 0.01 for one architecture in the detector.
  public init(_ configuration: BackboneConfiguration, momentum: Double) {
    self.momentum = momentum
    initStd = configuration.initStd
    branchScale = configuration.branchScale
    reluShift = configuration.reluShift ?? shift
    normalizesByUnbiasedVariance = configuration.normVariance == .unbiased
  }

  /// First weights of a convolution.
  /// - Parameter groupInputs: input channels of one of its groups.
  func convolutionInitializer(groupInputs: Int) -> Initializer {
    let inverse = 1 / Double(groupInputs)
    return .normal(standardDeviation: initStd == .inverse ? inverse : inverse.squareRoot())
  }
}
