extension DeviceProgram {
  static let norms = DeviceProgram(name: "norms")
}

/// The planes of a normalisation on a device.
private struct NormPlanes {
  let images: Int
  let channels: Int
  /// Planes of a group; 0 for batch normalisation.
  let perGroup: Int
  let size: Int

  init(_ x: Shape, groups: Int?) {
    (images, channels, size) = (x[0], x[1], x.planeSize)
    perGroup = groups.map { x[1] / $0 } ?? 0
  }

  var perPlane: Int { max(1, (size + Loops.block - 1) / Loops.block) }
  var units: Int { images * channels * perPlane }
  var total: Int { images * channels * size }
}

// Normalisation on the device; `BatchNormalization` and `GroupNormalization` say what is computed.
extension Device {
  /// As `BatchNormalization.train`.
  func batchNormalize(
    _ x: Tensor, weight: Tensor, bias: Tensor, options: BatchNormalization.Options, relu: Bool, block: Tensor?
  ) -> (output: Tensor, statistics: NormalizationStatistics, batch: BatchNormalization.BatchMoments) {
    let planes = NormPlanes(x.shape, groups: nil)
    let pairs = moments(x, planes)
    let channels = planes.channels
    let statistics = NormalizationStatistics(mean: tensor([channels]), inverseDeviation: tensor([channels]))
    let moments = doubles(2 * channels)
    each(
      channels, .norms, "batch_moments",
      [
        .int(planes.images), .int(channels), .int(planes.size), .int(planes.perPlane), .double(options.epsilon),
        .int(options.normalizesByUnbiasedVariance ? 1 : 0), place(x), .place(pairs), .place(moments),
        place(statistics.mean), place(statistics.inverseDeviation),
      ])
    let out = normalized(x, planes, statistics, weight, bias, relu: relu, block: block)
    return (out, statistics, BatchNormalization.BatchMoments(DeferredDoubles(self, moments, 2 * channels)))
  }

  /// Running statistics moved by moments of a batch that are still on this device.
  func blend(_ running: Tensor, _ batch: DevicePlace, momentum: Double) -> Tensor {
    let out = tensor(running.shape)
    each(
      out.count, .norms, "blend_moments",
      [.int(out.count), .double(momentum), .place(batch), place(running), place(out)])
    return out
  }

  /// As `BatchNormalization.evaluate`.
  func batchNormalize(
    _ x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: Double, relu: Bool,
    block: Tensor?
  ) -> (output: Tensor, statistics: NormalizationStatistics) {
    let inverse = tensor(variance.shape)
    each(
      variance.count, .norms, "inverse_deviations",
      [.int(variance.count), .double(epsilon), place(variance), place(inverse)])
    let statistics = NormalizationStatistics(mean: mean, inverseDeviation: inverse)
    let planes = NormPlanes(x.shape, groups: nil)
    return (normalized(x, planes, statistics, weight, bias, relu: relu, block: block), statistics)
  }

  /// As `GroupNormalization.forward`.
  func groupNormalize(
    _ x: Tensor, groups: Int, weight: Tensor, bias: Tensor, epsilon: Double, relu: Bool
  ) -> (output: Tensor, statistics: NormalizationStatistics) {
    let planes = NormPlanes(x.shape, groups: groups)
    let pairs = moments(x, planes)
    let count = planes.images * groups
    let statistics = NormalizationStatistics(
      mean: tensor([planes.images, groups]), inverseDeviation: tensor([planes.images, groups]))
    each(
      count, .norms, "group_moments",
      [
        .int(count), .int(planes.perGroup), .int(planes.size), .int(planes.perPlane), .double(epsilon), place(x),
        .place(pairs), place(statistics.mean), place(statistics.inverseDeviation),
      ])
    return (normalized(x, planes, statistics, weight, bias, relu: relu, block: nil), statistics)
  }

  /// The gradients of batch normalisation; infinite `count` and `divisor` make the statistics constants.
  func batchGradient(
    _ x: Tensor, upstream: Tensor, weight: Tensor, bias: Tensor, statistics: NormalizationStatistics, relu: Bool,
    count: Double, divisor: Double
  ) -> NormalizationGradients {
    let planes = NormPlanes(x.shape, groups: nil)
    let pairs = gradientSums(x, upstream, planes, statistics, weight, bias, relu: relu)
    let channels = planes.channels
    let (dWeight, dBias, terms) = (tensor([channels]), tensor([channels]), tensor([channels, 2]))
    each(
      channels, .norms, "batch_gradient_sums",
      [
        .int(planes.images), .int(channels), .int(planes.perPlane), .double(count), .double(divisor), .place(pairs),
        place(statistics.inverseDeviation), place(dWeight), place(dBias), place(terms),
      ])
    let dx = inputGradient(x, upstream, planes, statistics, weight, bias, terms, relu: relu)
    return NormalizationGradients(input: dx, weight: dWeight, bias: dBias)
  }

  /// As `GroupNormalization.gradient`.
  func groupGradient(
    _ x: Tensor, groups: Int, upstream: Tensor, weight: Tensor, bias: Tensor, statistics: NormalizationStatistics,
    relu: Bool
  ) -> NormalizationGradients {
    let planes = NormPlanes(x.shape, groups: groups)
    let pairs = gradientSums(x, upstream, planes, statistics, weight, bias, relu: relu)
    let (channels, count) = (planes.channels, planes.images * groups)
    let (dWeight, dBias, terms) = (tensor([channels]), tensor([channels]), tensor([count, 2]))
    each(
      count, .norms, "group_gradient_terms",
      [
        .int(count), .int(channels), .int(planes.perGroup), .int(planes.perPlane),
        .double(Double(planes.perGroup * planes.size)), .place(pairs), place(weight),
        place(statistics.inverseDeviation), place(terms),
      ])
    each(
      channels, .norms, "group_gradient_sums",
      [
        .int(planes.images), .int(channels), .int(planes.perGroup), .int(planes.perPlane), .place(pairs),
        place(statistics.inverseDeviation), place(dWeight), place(dBias),
      ])
    let dx = inputGradient(x, upstream, planes, statistics, weight, bias, terms, relu: relu)
    return NormalizationGradients(input: dx, weight: dWeight, bias: dBias)
  }

  // MARK: Passes

  private func moments(_ x: Tensor, _ planes: NormPlanes) -> DevicePlace {
    let pairs = doubles(2 * planes.units)
    context.launch(
      .norms, "moment_blocks", groups: ((planes.units + 7) / 8, 1, 1), items: 128,
      [
        .int(planes.channels), .int(planes.perGroup), .int(planes.size), .int(planes.perPlane), .int(planes.units),
        place(x), .place(pairs),
      ])
    return pairs
  }

  /// - Parameter block: whose identity channels come first in the output.
  private func normalized(
    _ x: Tensor, _ planes: NormPlanes, _ statistics: NormalizationStatistics, _ weight: Tensor, _ bias: Tensor,
    relu: Bool, block: Tensor?
  ) -> Tensor {
    let front = (block?.shape[1] ?? 0) / 2
    var out = tensor(x.shape.replacing(1, with: front + planes.channels))
    if let block { copyIdentity(of: block, into: &out) }
    each(
      planes.total, .norms, "normalize_planes",
      [
        .int(planes.total), .int(planes.channels), .int(planes.perGroup), .int(planes.size), .int(front),
        .int(relu ? 1 : 0), place(x), place(statistics.mean), place(statistics.inverseDeviation), place(weight),
        place(bias), .place(out.writablePlace(on: context)),
      ])
    return out
  }

  private func gradientSums(
    _ x: Tensor, _ upstream: Tensor, _ planes: NormPlanes, _ statistics: NormalizationStatistics, _ weight: Tensor,
    _ bias: Tensor, relu: Bool
  ) -> DevicePlace {
    let pairs = doubles(2 * planes.units)
    context.launch(
      .norms, "gradient_blocks", groups: ((planes.units + 7) / 8, 1, 1), items: 128,
      [
        .int(planes.channels), .int(planes.perGroup), .int(planes.size), .int(upstream.shape[1] - planes.channels),
        .int(planes.perPlane), .int(planes.units), .int(relu ? 1 : 0), place(x), place(upstream),
        place(statistics.mean), place(statistics.inverseDeviation), place(weight), place(bias), .place(pairs),
      ])
    return pairs
  }

  private func inputGradient(
    _ x: Tensor, _ upstream: Tensor, _ planes: NormPlanes, _ statistics: NormalizationStatistics, _ weight: Tensor,
    _ bias: Tensor, _ terms: Tensor, relu: Bool
  ) -> Tensor {
    let dx = tensor(x.shape)
    each(
      planes.total, .norms, "normalize_gradient",
      [
        .int(planes.total), .int(planes.channels), .int(planes.perGroup), .int(planes.size),
        .int(upstream.shape[1] - planes.channels), .int(relu ? 1 : 0), place(x), place(upstream),
        place(statistics.mean), place(statistics.inverseDeviation), place(weight), place(bias), place(terms),
        place(dx),
      ])
    return dx
  }
}
