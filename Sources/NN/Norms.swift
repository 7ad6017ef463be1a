import Autograd
import Tensors

/// Batch normalisation over `[N, C, H, W]`, eps 1e-5 (method 0.1, 1.5), optionally with the ReLU that follows it.
public final class BatchNorm2d: RunningStatistics {
  /// γ, `[C]`.
  public let scale: Parameter
  /// β, `[C]`.
  public let shift: Parameter
  /// `[C]`
  public let runningMean: Buffer
  /// `[C]`, unbiased.
  public let runningVariance: Buffer
  /// Weight of the new batch in the running statistics, unless its pass has one.
  public let momentum: Double
  private let options: BatchNormalization.Options
  private let relu: Bool

  public init(
    _ scope: Scope, channels: Int, momentum: Double, relu: Bool, scale: Float = 1,
    shift: Initializer = .constant(0), normalizesByUnbiasedVariance: Bool = false
  ) {
    options = .init(normalizesByUnbiasedVariance: normalizesByUnbiasedVariance)
    self.scale = scope.parameter("scale", role: .scale, norm: .batch, shape: [channels], .constant(scale))
    self.shift = scope.parameter("shift", role: .bias, norm: .batch, shape: [channels], shift)
    runningMean = scope.buffer("running-mean", value: Tensor(zeros: [channels]))
    runningVariance = scope.buffer("running-variance", value: Tensor(repeating: 1, shape: [channels]))
    self.momentum = momentum
    self.relu = relu
    scope.add(self)
  }

  /// - Parameter identity: the identity branch of the block that this layer ends; its channels come first in the output.
  public func callAsFunction(_ x: Variable, after identity: IdentityBranch? = nil) -> Variable {
    let scale = x.pass.use(scale)
    let shift = x.pass.use(shift)
    guard x.pass.mode != .evaluation else {
      return batchNormEvaluation(
        x, scale: scale, shift: shift, mean: runningMean.value, variance: runningVariance.value, relu: relu,
        after: identity)
    }
    let (y, batch) = batchNormTraining(
      x, scale: scale, shift: shift, options: options, relu: relu, after: identity)
    x.pass.update(self, by: batch, weight: x.pass.statisticsWeight ?? momentum)
    return y
  }

  public func move(by batch: BatchNormalization.BatchMoments, weight: Double) {
    batch.move(&runningMean.value, &runningVariance.value, momentum: weight)
  }

  /// Resets the running statistics: mean 0, variance 1 (method 6).
  public func resetStatistics() {
    runningMean.value = Tensor(zeros: runningMean.value.shape)
    runningVariance.value = Tensor(repeating: 1, shape: runningVariance.value.shape)
  }
}

/// Group normalisation, eps 1e-5, affine (method 0.1), optionally with the ReLU that follows it.
public final class GroupNorm {
  public let scale: Parameter
  public let shift: Parameter
  public let groups: Int
  private let relu: Bool

  /// - Precondition: `groups` divides `channels`.
  public init(_ scope: Scope, channels: Int, groups: Int, relu: Bool) {
    precondition(channels % groups == 0, "GroupNorm: \(channels) channels in \(groups) groups")
    scale = scope.parameter("scale", role: .scale, norm: .group, shape: [channels], .constant(1))
    shift = scope.parameter("shift", role: .bias, norm: .group, shape: [channels], .constant(0))
    self.groups = groups
    self.relu = relu
  }

  /// `x` is `[N, C, H, W]`, or `[N, C]` after a linear layer.
  public func callAsFunction(_ x: Variable) -> Variable {
    groupNorm(x, groups: groups, scale: x.pass.use(scale), shift: x.pass.use(shift), relu: relu)
  }
}
