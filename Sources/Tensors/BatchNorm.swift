import CKernels

// N images, C channels, M = elements per channel.

/// The statistics that a normalisation saves for its backward pass, rounded to binary32: `[C]` for batch
/// normalisation, `[N, groups]` for group normalisation.
public struct NormalizationStatistics: Sendable {
  /// The mean of every channel or group.
  public var mean: Tensor
  /// `1 / sqrt(variance + epsilon)`.
  public var inverseDeviation: Tensor

  public init(mean: Tensor, inverseDeviation: Tensor) {
    self.mean = mean
    self.inverseDeviation = inverseDeviation
  }
}

/// The gradients of a normalisation with respect to its input, its scale `weight` and its shift `bias`.
public struct NormalizationGradients: Sendable {
  /// Of the shape of the input.
  public var input: Tensor
  /// `[C]`.
  public var weight: Tensor
  /// `[C]`.
  public var bias: Tensor
}

/// Batch normalisation: `y = (x - mean) * (weight * inverseDeviation) + bias`, optionally followed by ReLU.
///
/// Variance: shifted one-pass in binary64. With d = x - K, K the first element of the channel in image 0,
/// mean = K + S1 / M and variance = (S2 - S1² / M) / M, S1 and S2 being the sums of d and d². The differences are
/// exact or nearly so, and K keeps S1² / M from cancelling S2 when the mean is large.
public enum BatchNormalization {
  /// The variants of batch normalisation.
  public struct Options: Sendable, Hashable {
    /// Added to the variance.
    public var epsilon: Double
    /// Normalise the batch by the unbiased variance (divisor M - 1), as the published cross-GPU normalisation does. The
    /// running variance is unbiased in both cases.
    public var normalizesByUnbiasedVariance: Bool

    public init(epsilon: Double = 1e-5, normalizesByUnbiasedVariance: Bool = false) {
      self.epsilon = epsilon
      self.normalizesByUnbiasedVariance = normalizesByUnbiasedVariance
    }
  }

  /// Mean and unbiased variance of every channel of a batch, in binary64.
  public struct BatchMoments: Sendable {
    private enum Values: Sendable {
      case host(mean: [Double], variance: [Double])
      /// Means, then variances; read when they are asked for.
      case device(DeferredDoubles)
    }
    private let values: Values

    /// The mean of every channel.
    public var mean: [Double] {
      switch values {
      case .host(let mean, _): mean
      case .device(let both): Array(both.values.prefix(both.values.count / 2))
      }
    }

    /// Unbiased; 0 where M = 1.
    public var variance: [Double] {
      switch values {
      case .host(_, let variance): variance
      case .device(let both): Array(both.values.suffix(both.values.count / 2))
      }
    }

    public init(mean: [Double], variance: [Double]) { values = .host(mean: mean, variance: variance) }

    init(_ both: DeferredDoubles) { values = .device(both) }

    /// Updates running statistics `[C]`: `running = (1 - momentum) * running + momentum * batch`, in binary64, rounded
    /// once.
    public func move(_ runningMean: inout Tensor, _ runningVariance: inout Tensor, momentum: Double) {
      func blend(_ running: Tensor, _ batch: [Double]) -> Tensor {
        Tensor(shape: running.shape) { Float((1 - momentum) * Double(running[flat: $0]) + momentum * batch[$0]) }
      }
      if case .device(let both) = values, let place = both.place {
        runningMean = both.device.blend(runningMean, place, momentum: momentum)
        runningVariance = both.device.blend(
          runningVariance, place.advanced(by: runningMean.count), momentum: momentum)
        return
      }
      let (mean, variance) = (mean, variance)
      runningMean = blend(runningMean, mean)
      runningVariance = blend(runningVariance, variance)
    }
  }

  /// Normalises by the statistics of the batch, and returns them to update the running ones.
  ///
  /// - Parameters:
  ///   - x: `[N, C, ...]` with at least one element per channel.
  ///   - weight, bias: `[C]`.
  ///   - block: the input of a choice block that ends here. The output is then the block's: the channels of the identity
  ///     branch (`ChannelShuffle`), followed by the normalised ones.
  /// - Precondition: M is at least 2 where an unbiased variance normalises.
  public static func train(
    _ x: Tensor, weight: Tensor, bias: Tensor, options: Options = Options(), relu: Bool = false,
    afterIdentityOf block: Tensor? = nil
  ) -> (output: Tensor, statistics: NormalizationStatistics, batch: BatchMoments) {
    check(x.shape, [weight.shape, bias.shape])
    let n = x.shape[0]
    let channels = x.shape[1]
    let size = x.shape.planeSize
    let m = Double(n * size)
    precondition(n * size > 0 || channels == 0, "batch normalisation: empty \(x.shape)")
    precondition(!options.normalizesByUnbiasedVariance || m >= 2, "batch normalisation: unbiased over \(x.shape)")
    if let device = Device.current, device.takes(x, weight, bias) {
      return device.batchNormalize(x, weight: weight, bias: bias, options: options, relu: relu, block: block)
    }

    var statistics = NormalizationStatistics(
      mean: Tensor(uninitialized: [channels]), inverseDeviation: Tensor(uninitialized: [channels]))
    var batch = (mean: [Double](repeating: 0, count: channels), variance: [Double](repeating: 0, count: channels))
    var out = output(x.shape, afterIdentityOf: block)
    let front = out.shape[1] - channels
    let target = out.mutablePointer + front * size
    let source = x.pointer
    let mean = statistics.mean.mutablePointer
    let inverse = statistics.inverseDeviation.mutablePointer
    let (gamma, beta) = (weight.pointer, bias.pointer)
    let maps = Backend.maps
    batch.mean.withUnsafeMutableBufferPointer { batchMeans in
      batch.variance.withUnsafeMutableBufferPointer { batchVariances in
        let (means, variances) = (batchMeans.baseAddress, batchVariances.baseAddress)
        // Both passes run over one channel while it is in the cache.
        Loops.planes(channels, size: 2 * n * size) { c in
          let plane = source + c * size
          let (s1, s2) = foldPairs(n) { maps.shifted_moments(n, size, channels * size, plane, plane[0], $0) }
          let batchMean = Double(plane[0]) + s1 / m
          // Rounding may give a tiny negative number where all elements are equal.
          let squares = max(0, s2 - s1 * s1 / m)
          let unbiased = m > 1 ? squares / (m - 1) : squares
          let variance = options.normalizesByUnbiasedVariance ? unbiased : squares / m
          mean[c] = Float(batchMean)
          inverse[c] = Float(1 / (variance + options.epsilon).squareRoot())
          means![c] = batchMean
          variances![c] = unbiased
          var function = ck_normalization(
            mean: mean[c], inverse: inverse[c], weight: gamma + c, bias: beta + c, step: 0, relu: relu ? 1 : 0, far: 0)
          maps.normalize(
            &function, n, size, channels * size, (front + channels) * size, plane, target + c * size)
        }
      }
    }
    return (out, statistics, BatchMoments(mean: batch.mean, variance: batch.variance))
  }

  /// Normalises by the running statistics, which are constants for the backward pass; `block` as in `train`.
  public static func evaluate(
    _ x: Tensor, weight: Tensor, bias: Tensor, runningMean: Tensor, runningVariance: Tensor,
    epsilon: Double = 1e-5, relu: Bool = false, afterIdentityOf block: Tensor? = nil
  ) -> (output: Tensor, statistics: NormalizationStatistics) {
    check(x.shape, [weight.shape, bias.shape, runningMean.shape, runningVariance.shape])
    if let device = Device.current, device.takes(x, weight, bias) {
      return device.batchNormalize(
        x, weight: weight, bias: bias, mean: runningMean, variance: runningVariance, epsilon: epsilon, relu: relu,
        block: block)
    }
    let inverse = Tensor(shape: runningVariance.shape) { c in
      Float(1 / (Double(runningVariance[flat: c]) + epsilon).squareRoot())
    }
    let statistics = NormalizationStatistics(mean: runningMean, inverseDeviation: inverse)
    let (n, channels, size) = (x.shape[0], x.shape[1], x.shape.planeSize)
    var out = output(x.shape, afterIdentityOf: block)
    let front = out.shape[1] - channels
    let target = out.mutablePointer + front * size
    let source = x.pointer
    let (mean, deviation, gamma, beta) = (runningMean.pointer, inverse.pointer, weight.pointer, bias.pointer)
    let kernel = Backend.maps.normalize
    Loops.planes(channels, size: n * size) { c in
      var function = ck_normalization(
        mean: mean[c], inverse: deviation[c], weight: gamma + c, bias: beta + c, step: 0, relu: relu ? 1 : 0, far: 0)
      kernel(
        &function, n, size, channels * size, (front + channels) * size, source + c * size, target + c * size)
    }
    return (out, statistics)
  }

  /// The backward pass of `train`; the mask of a fused ReLU is recomputed from `x`. Where the upstream gradient has more
  /// channels than `x`, the last ones are used.
  ///
  /// With sums over the channel in binary64, B = Σ dy and G = Σ dy (x - mean): bias B, weight G * inverseDeviation,
  /// input `scale * ((dy - B / M) - (x - mean) * (inverseDeviation² G / divisor))`, divisor being that of the variance.
  public static func trainGradient(
    _ x: Tensor, upstream: Tensor, weight: Tensor, bias: Tensor, statistics: NormalizationStatistics,
    relu: Bool = false, options: Options = Options()
  ) -> NormalizationGradients {
    let m = Double(x.shape[0] * x.shape.planeSize)
    let divisor = options.normalizesByUnbiasedVariance ? m - 1 : m
    return gradient(
      x, upstream: upstream, weight: weight, bias: bias, statistics: statistics, relu: relu, count: m,
      divisor: divisor)
  }

  /// The backward pass of `evaluate`: the statistics are constants.
  public static func evaluateGradient(
    _ x: Tensor, upstream: Tensor, weight: Tensor, bias: Tensor, statistics: NormalizationStatistics,
    relu: Bool = false
  ) -> NormalizationGradients {
    gradient(
      x, upstream: upstream, weight: weight, bias: bias, statistics: statistics, relu: relu, count: .infinity,
      divisor: .infinity)
  }

  // MARK: Passes

  private static func check(_ x: Shape, _ parameters: [Shape]) {
    for p in parameters {
      precondition(x.rank >= 2 && p == [x[1]], "batch normalisation: \(x) with parameters \(p)")
    }
  }

  /// An output for `x`, after the channels of the identity branch of `block`, which are copied.
  private static func output(_ x: Shape, afterIdentityOf block: Tensor?) -> Tensor {
    var out = Tensor(uninitialized: x.replacing(1, with: (block?.shape[1] ?? 0) / 2 + x[1]))
    if let block { ChannelShuffle.copyIdentity(of: block, into: &out) }
    return out
  }

  /// The sums, in image order, of the pairs that `body` writes for every image.
  private static func foldPairs(_ images: Int, _ body: (UnsafeMutablePointer<Double>) -> Void) -> (Double, Double) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, 2 * images)) { pairs in
      body(pairs.baseAddress!)
      var (first, second) = (0.0, 0.0)
      for image in 0..<images {
        first += pairs[2 * image]
        second += pairs[2 * image + 1]
      }
      return (first, second)
    }
  }

  /// Infinite `count` and `divisor` make the statistics constants: their terms vanish.
  private static func gradient(
    _ x: Tensor, upstream: Tensor, weight: Tensor, bias: Tensor, statistics: NormalizationStatistics, relu: Bool,
    count: Double, divisor: Double
  ) -> NormalizationGradients {
    check(x.shape, [weight.shape, bias.shape, statistics.mean.shape, statistics.inverseDeviation.shape])
    let (n, channels, size) = (x.shape[0], x.shape[1], x.shape.planeSize)
    let front = upstream.shape[1] - channels
    precondition(
      front >= 0 && upstream.shape == x.shape.replacing(1, with: front + channels),
      "batch normalisation: gradient \(upstream.shape) of \(x.shape)")
    if let device = Device.current, device.takes(x, upstream, weight, bias) {
      return device.batchGradient(
        x, upstream: upstream, weight: weight, bias: bias, statistics: statistics, relu: relu, count: count,
        divisor: divisor)
    }
    var gradients = NormalizationGradients(
      input: Tensor(uninitialized: x.shape), weight: Tensor(uninitialized: [channels]),
      bias: Tensor(uninitialized: [channels]))
    let source = x.pointer
    let dy = upstream.pointer + front * size
    let mean = statistics.mean.pointer
    let inverse = statistics.inverseDeviation.pointer
    let (gamma, beta) = (weight.pointer, bias.pointer)
    let dx = gradients.input.mutablePointer
    let dWeight = gradients.weight.mutablePointer
    let dBias = gradients.bias.mutablePointer
    let maps = Backend.maps
    let (step, upstreamStep) = (channels * size, (front + channels) * size)
    // Both passes run over one channel while it is in the cache.
    Loops.planes(channels, size: 2 * n * size) { c in
      let at = c * size
      var function = ck_normalization(
        mean: mean[c], inverse: inverse[c], weight: gamma + c, bias: beta + c, step: 0, relu: relu ? 1 : 0, far: 0)
      let (b, g) = foldPairs(n) {
        maps.normalize_gradient_sums(&function, n, size, step, upstreamStep, source + at, dy + at, $0)
      }
      let inv = Double(inverse[c])
      dBias[c] = Float(b)
      dWeight[c] = Float(g * inv)
      maps.normalize_gradient(
        &function, n, size, step, upstreamStep, source + at, dy + at, Float(b / count), Float(inv * inv * g / divisor),
        dx + at)
    }
    withExtendedLifetime(statistics) {}
    return gradients
  }
}
