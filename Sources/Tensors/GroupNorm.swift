import CKernels

// N images, C channels, G groups, M = elements per group.

/// Group normalisation: each of the G groups of C / G channels of an image is normalised by its own mean and biased
/// variance, then `y = (x - mean) * (weight * inverseDeviation) + bias` per channel, optionally followed by ReLU.
///
/// Variance: shifted one-pass in binary64 as in `BatchNormalization`, K being the group's first element. Planes of a
/// group are added in channel order.
public enum GroupNormalization {
  /// Normalises every group of channels.
  ///
  /// - Parameters:
  ///   - x: `[N, C, ...]`; N may be 0.
  ///   - weight, bias: `[C]`.
  /// - Returns: the output, and statistics of shape `[N, G]`.
  /// - Precondition: G divides C.
  public static func forward(
    _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Double = 1e-5, relu: Bool = false
  ) -> (output: Tensor, statistics: NormalizationStatistics) {
    check(x.shape, groups, [weight.shape, bias.shape])
    if let device = Device.current, device.takes(x, weight, bias) {
      return device.groupNormalize(x, groups: groups, weight: weight, bias: bias, epsilon: epsilon, relu: relu)
    }
    let channels = x.shape[1]
    let perGroup = channels / groups
    let size = x.shape.planeSize
    let m = Double(perGroup * size)
    var out = Tensor(uninitialized: x.shape)
    var statistics = NormalizationStatistics(
      mean: Tensor(uninitialized: [x.shape[0], groups]), inverseDeviation: Tensor(uninitialized: [x.shape[0], groups]))
    let source = x.pointer
    let target = out.mutablePointer
    let mean = statistics.mean.mutablePointer
    let inverse = statistics.inverseDeviation.mutablePointer
    let gamma = weight.pointer
    let beta = bias.pointer
    let maps = Backend.maps
    let far: Int32 = Loops.isFar(x.count) ? 1 : 0
    Loops.planes(size == 0 ? 0 : x.shape[0] * groups, size: perGroup * size) { group in
      let first = group * perGroup
      let shift = source[first * size]
      var s1 = 0.0
      var s2 = 0.0
      withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * perGroup) { moments in
        maps.shifted_moments(perGroup, size, size, source + first * size, shift, moments.baseAddress!)
        for plane in 0..<perGroup {
          s1 += moments[2 * plane]
          s2 += moments[2 * plane + 1]
        }
      }
      let variance = max(0, s2 - s1 * s1 / m) / m
      mean[group] = Float(Double(shift) + s1 / m)
      inverse[group] = Float(1 / (variance + epsilon).squareRoot())
      let c = first % channels
      var function = ck_normalization(
        mean: mean[group], inverse: inverse[group], weight: gamma + c, bias: beta + c, step: 1, relu: relu ? 1 : 0,
        far: far)
      maps.normalize(&function, perGroup, size, size, size, source + first * size, target + first * size)
    }
    return (out, statistics)
  }

  /// The backward pass; the mask of a fused ReLU is recomputed from `x`.
  ///
  /// With sums per plane in binary64, b = Σ dy and g = Σ dy (x - mean): bias Σ b and weight Σ g * inverseDeviation, in
  /// image order. Per group, with sums over its channels in order, B = Σ weight b and D = Σ weight g:
  /// input `inverseDeviation * ((weight * dy - B / M) - (x - mean) * (inverseDeviation² D / M))`.
  public static func gradient(
    _ x: Tensor, groups: Int, upstream: Tensor, weight: Tensor, bias: Tensor, statistics: NormalizationStatistics,
    relu: Bool = false
  ) -> NormalizationGradients {
    check(x.shape, groups, [weight.shape, bias.shape])
    precondition(upstream.shape == x.shape, "group normalisation: gradient \(upstream.shape) of \(x.shape)")
    if let device = Device.current, device.takes(x, upstream, weight, bias) {
      return device.groupGradient(
        x, groups: groups, upstream: upstream, weight: weight, bias: bias, statistics: statistics, relu: relu)
    }
    let n = x.shape[0]
    let channels = x.shape[1]
    let perGroup = channels / groups
    let size = x.shape.planeSize
    let m = Double(perGroup * size)
    var gradients = NormalizationGradients(
      input: Tensor(uninitialized: x.shape), weight: Tensor(uninitialized: [channels]),
      bias: Tensor(uninitialized: [channels]))
    let source = x.pointer
    let dy = upstream.pointer
    let mean = statistics.mean.pointer
    let inverse = statistics.inverseDeviation.pointer
    let gamma = weight.pointer
    let beta = bias.pointer
    let dx = gradients.input.mutablePointer
    let dWeight = gradients.weight.mutablePointer
    let dBias = gradients.bias.mutablePointer
    let maps = Backend.maps
    let far: Int32 = Loops.isFar(x.count) ? 1 : 0
    withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, 2 * n * channels)) { sums in
      let base = sums.baseAddress!
      Loops.planes(n * groups, size: perGroup * size) { group in
        let first = group * perGroup
        var b = 0.0
        var d = 0.0
        let at = first * size
        let c = first % channels
        var function = ck_normalization(
          mean: mean[group], inverse: inverse[group], weight: gamma + c, bias: beta + c, step: 1, relu: relu ? 1 : 0,
          far: far)
        maps.normalize_gradient_sums(
          &function, perGroup, size, size, size, source + at, dy + at, base + 2 * first)
        for plane in first..<first + perGroup {
          b += Double(gamma[plane % channels]) * base[2 * plane]
          d += Double(gamma[plane % channels]) * base[2 * plane + 1]
        }
        let inv = Double(inverse[group])
        maps.group_normalize_gradient(
          &function, perGroup, size, size, size, source + at, dy + at, Float(b / m), Float(inv * inv * d / m), dx + at)
      }
      for c in 0..<channels {
        var b = 0.0
        var g = 0.0
        for image in 0..<n {
          let plane = image * channels + c
          b += base[2 * plane]
          g += base[2 * plane + 1] * Double(inverse[plane / perGroup])
        }
        dBias[c] = Float(b)
        dWeight[c] = Float(g)
      }
    }
    withExtendedLifetime(statistics) {}
    return gradients
  }

  private static func check(_ x: Shape, _ groups: Int, _ parameters: [Shape]) {
    precondition(
      x.rank >= 2 && groups > 0 && x[1] % groups == 0, "group normalisation: \(x) in \(groups) groups")
    for p in parameters { precondition(p == [x[1]], "group normalisation: \(x) with parameters \(p)") }
  }
}
