import CKernels

// N images, C channels, M = elements per channel.

/// What a normalisation keeps for its backward pass, rounded to binary32: `[C]` for batch normalisation, `[N, groups]`
/// for group normalisation.
public struct NormalizationStatistics: Sendable {
  public var mean: Tensor
  /// `1 / sqrt(variance + epsilon)`.
  public var inverseDeviation: Tensor

  public init(mean: Tensor, inverseDeviation: Tensor) {
    self.mean = mean
    self.inverseDeviation = inverseDeviation
  }
}

/// The gradients of a normalisation at its input, its scale `weight` and its shift `bias`.
public struct NormalizationGradients: Sendable {
  public var input: Tensor
  public var weight: Tensor
  public var bias: Tensor
}

/// Batch normalisation: `y = (x - mean) * (weight * inverseDeviation) + bias`, optionally followed by ReLU.
///
/// Variance: shifted one-pass in binary64. With d = x - K, K the first element of the channel in image 0,
/// mean = K + S1 / M and variance = (S2 - S1² / M) / M, S1 and S2 being the sums of d and d². The differences are
/// exact or nearly so, and K keeps S1² / M from cancelling S2 when the mean is large.
public enum BatchNormalization {
  public struct Options: Sendable, Hashable {
    public var epsilon: Double
    /// Divide by M - 1 also where the batch is normalised, as the published cross-GPU normalisation does. The running
    /// variance is unbiased in both cases.
    public var normalizesByUnbiasedVariance: Bool

    public init(epsilon: Double = 1e-5, normalizesByUnbiasedVariance: Bool = false) {
      self.epsilon = epsilon
      self.normalizesByUnbiasedVariance = normalizesByUnbiasedVariance
    }
  }

  /// Mean and unbiased variance of every channel of a batch, not rounded.
  public struct BatchMoments: Sendable {
    public var mean: [Double]
    /// With M = 1 the biased value, 0.
    public var variance: [Double]

    /// Moves running statistics `[C]`: `running = (1 - momentum) * running + momentum * batch`, in binary64, rounded
    /// once.
    public func move(_ runningMean: inout Tensor, _ runningVariance: inout Tensor, momentum: Double) {
      func blend(_ running: Tensor, _ batch: [Double]) -> Tensor {
        Tensor(shape: running.shape) { Float((1 - momentum) * Double(running[flat: $0]) + momentum * batch[$0]) }
      }
      runningMean = blend(runningMean, mean)
      runningVariance = blend(runningVariance, variance)
    }
  }

  /// Normalises by the statistics of the batch, which are returned to move the running ones by.
  ///
  /// - Parameters:
  ///   - x: `[N, C, ...]` with at least one element per channel.
  ///   - weight, bias: `[C]`.
  ///   - block: the input of a choice block that ends here. The output is then the block's: the channels of the bypass
  ///     (`ChannelShuffle`), and behind them the normalised ones.
  /// - Precondition: M is at least 2 where an unbiased variance normalises.
  public static func train(
    _ x: Tensor, weight: Tensor, bias: Tensor, options: Options = Options(), relu: Bool = false,
    behindBypassOf block: Tensor? = nil
  ) -> (output: Tensor, statistics: NormalizationStatistics, batch: BatchMoments) {
    check(x.shape, [weight.shape, bias.shape])
    let n = x.shape[0]
    let channels = x.shape[1]
    let size = x.shape.planeSize
    let m = Double(n * size)
    precondition(n * size > 0 || channels == 0, "batch normalisation: empty \(x.shape)")
    precondition(!options.normalizesByUnbiasedVariance || m >= 2, "batch normalisation: unbiased over \(x.shape)")

    let source = x.pointer
    let kernel = Backend.maps.shifted_moments
    var statistics = NormalizationStatistics(
      mean: Tensor(uninitialized: [channels]), inverseDeviation: Tensor(uninitialized: [channels]))
    let mean = statistics.mean.mutablePointer
    let inverse = statistics.inverseDeviation.mutablePointer
    var batch = BatchMoments(mean: [], variance: [])
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, 2 * n * channels)) { moments in
      let base = moments.baseAddress!
      Loops.planes(n * channels, size: size) { plane in
        kernel(size, source + plane * size, source[(plane % channels) * size], base + 2 * plane)
      }
      for c in 0..<channels {
        var s1 = 0.0
        var s2 = 0.0
        for image in 0..<n {
          s1 += base[2 * (image * channels + c)]
          s2 += base[2 * (image * channels + c) + 1]
        }
        let batchMean = Double(source[c * size]) + s1 / m
        // Rounding may leave a tiny negative number where all elements are equal.
        let squares = max(0, s2 - s1 * s1 / m)
        let unbiased = m > 1 ? squares / (m - 1) : squares
        let variance = options.normalizesByUnbiasedVariance ? unbiased : squares / m
        mean[c] = Float(batchMean)
        inverse[c] = Float(1 / (variance + options.epsilon).squareRoot())
        batch.mean.append(batchMean)
        batch.variance.append(unbiased)
      }
    }
    return (apply(x, statistics, weight: weight, bias: bias, relu: relu, block: block), statistics, batch)
  }

  /// Normalises by the running statistics; `block` as in `train`.
  public static func evaluate(
    _ x: Tensor, weight: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor,
    epsilon: Double = 1e-5, relu: Bool = false, behindBypassOf block: Tensor? = nil
  ) -> (output: Tensor, statistics: NormalizationStatistics) {
    check(x.shape, [weight.shape, bias.shape, runningMean.shape, runningVariance.shape])
    let inverse = Tensor(shape: runningVariance.shape) { c in
      Float(1 / (Double(runningVariance[flat: c]) + epsilon).squareRoot())
    }
    let statistics = NormalizationStatistics(mean: runningMean, inverseDeviation: inverse)
    return (apply(x, statistics, weight: weight, bias: bias, relu: relu, block: block), statistics)
  }

  /// The backward pass of `train`. `reluOutput` is the output where ReLU was fused. Of an upstream gradient and an
  /// output with more channels than `x`, the last ones count.
  ///
  /// With sums over the channel in binary64, B = Σ dy and G = Σ dy (x - mean): bias B, weight G * inverseDeviation,
  /// input `scale * ((dy - B / M) - (x - mean) * (inverseDeviation² G / divisor))`, divisor being that of the variance.
  public static func trainGradient(
    _ x: Tensor, upstream: Tensor, weight: Tensor, statistics: NormalizationStatistics, reluOutput: Tensor? = nil,
    options: Options = Options()
  ) -> NormalizationGradients {
    let m = Double(x.shape[0] * x.shape.planeSize)
    let divisor = options.normalizesByUnbiasedVariance ? m - 1 : m
    return gradient(
      x, upstream: upstream, weight: weight, statistics: statistics, reluOutput: reluOutput, count: m, divisor: divisor)
  }

  /// The backward pass of `evaluate`: the statistics are constants.
  public static func evaluateGradient(
    _ x: Tensor, upstream: Tensor, weight: Tensor, statistics: NormalizationStatistics, reluOutput: Tensor? = nil
  ) -> NormalizationGradients {
    gradient(
      x, upstream: upstream, weight: weight, statistics: statistics, reluOutput: reluOutput,
      count: .infinity, divisor: .infinity)
  }

  // MARK: Passes

  private static func check(_ x: Shape, _ parameters: [Shape]) {
    for p in parameters {
      precondition(x.rank >= 2 && p == [x[1]], "batch normalisation: \(x) with parameters \(p)")
    }
  }

  private static func apply(
    _ x: Tensor, _ statistics: NormalizationStatistics, weight: Tensor, bias: Tensor, relu: Bool, block: Tensor?
  ) -> Tensor {
    let channels = x.shape[1]
    let size = x.shape.planeSize
    let front = (block?.shape[1] ?? 0) / 2
    var out = Tensor(uninitialized: x.shape.replacing(1, with: front + channels))
    if let block { ChannelShuffle.copyBypass(of: block, into: &out) }
    let source = x.pointer
    let target = out.mutablePointer
    let mean = statistics.mean.pointer
    let inverse = statistics.inverseDeviation.pointer
    let gamma = weight.pointer
    let beta = bias.pointer
    let kernel = Backend.maps.normalize
    Loops.planes(x.shape[0] * channels, size: size) { plane in
      let c = plane % channels
      kernel(
        size, source + plane * size, mean[c], gamma[c] * inverse[c], beta[c], relu ? 1 : 0,
        target + (plane + (plane / channels + 1) * front) * size)
    }
    return out
  }

  /// Infinite `count` and `divisor` make the statistics constants: their terms vanish.
  private static func gradient(
    _ x: Tensor, upstream: Tensor, weight: Tensor, statistics: NormalizationStatistics, reluOutput: Tensor?,
    count: Double, divisor: Double
  ) -> NormalizationGradients {
    check(x.shape, [weight.shape, statistics.mean.shape, statistics.inverseDeviation.shape])
    let n = x.shape[0]
    let channels = x.shape[1]
    let front = upstream.shape[1] - channels
    precondition(
      front >= 0 && upstream.shape == x.shape.replacing(1, with: front + channels),
      "batch normalisation: gradient \(upstream.shape) of \(x.shape)")
    precondition(reluOutput.map { $0.shape == upstream.shape } ?? true, "batch normalisation: output of another shape")
    let size = x.shape.planeSize
    var gradients = NormalizationGradients(
      input: Tensor(uninitialized: x.shape), weight: Tensor(uninitialized: [channels]),
      bias: Tensor(uninitialized: [channels]))
    let source = x.pointer
    let dy = upstream.pointer
    let mask = reluOutput?.pointer
    let mean = statistics.mean.pointer
    let inverse = statistics.inverseDeviation.pointer
    let gamma = weight.pointer
    let dx = gradients.input.mutablePointer
    let dWeight = gradients.weight.mutablePointer
    let dBias = gradients.bias.mutablePointer
    let maps = Backend.maps
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, 2 * n * channels)) { sums in
      let base = sums.baseAddress!
      Loops.planes(n * channels, size: size) { plane in
        let behind = (plane + (plane / channels + 1) * front) * size
        maps.normalize_gradient_sums(
          size, source + plane * size, dy + behind, mask.map { $0 + behind }, mean[plane % channels], base + 2 * plane)
      }
      // Fold over images into the first rows.
      for c in 0..<channels {
        for image in 1..<max(1, n) {
          base[2 * c] += base[2 * (image * channels + c)]
          base[2 * c + 1] += base[2 * (image * channels + c) + 1]
        }
        let b = n > 0 ? base[2 * c] : 0
        let g = n > 0 ? base[2 * c + 1] : 0
        dBias[c] = Float(b)
        dWeight[c] = Float(g * Double(inverse[c]))
      }
      Loops.planes(n * channels, size: size) { plane in
        let at = plane * size
        let behind = (plane + (plane / channels + 1) * front) * size
        let c = plane % channels
        let inv = Double(inverse[c])
        maps.normalize_gradient(
          size, source + at, dy + behind, mask.map { $0 + behind }, mean[c], gamma[c] * inverse[c],
          Float(base[2 * c] / count), Float(inv * inv * base[2 * c + 1] / divisor), dx + at)
      }
    }
    withExtendedLifetime((reluOutput, statistics)) {}
    return gradients
  }
}
