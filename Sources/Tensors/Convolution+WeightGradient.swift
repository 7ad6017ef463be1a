import CKernels
import Determinism

extension Convolution2D {
  /// The gradient of the weights.
  ///
  /// Output positions, flattened as (image, y, x), are cut every 2048; each chunk is one chain from +0, and chunks add
  /// in ascending order.
  public func weightGradient(_ dy: Tensor, _ x: Tensor, weightShape: Shape) -> Tensor {
    let output = outputShape(input: x.shape, weight: weightShape)
    precondition(dy.shape == output, "Convolution2D: gradient \(dy.shape), input \(x.shape), weight \(weightShape)")
    if dy.isEmpty || weightShape.count == 0 { return Tensor(zeros: weightShape) }
    if isDepthwise(input: x.shape, weight: weightShape) {
      return depthwiseWeightGradient(dy, x, weightShape: weightShape)
    }
    if let library = Engine.openBLAS { return weightGradient(dy, x, weightShape: weightShape, with: library) }
    let sum = tapSum(input: x.shape, weight: weightShape)
    let plan = WeightGradientPlan(sum: sum, images: x.shape[0], groups: groups)
    var dw = Tensor(uninitialized: weightShape)
    let target = dw.mutablePointer
    var partials = Tensor(uninitialized: [groups, plan.wave + 1, plan.partial])
    let partial = partials.mutablePointer
    let taps = sum.taps.count
    sum.withC { c in
      for first in Swift.stride(from: 0, to: plan.chunks, by: plan.wave) {
        let count = min(plan.wave, plan.chunks - first)
        // Slot 0 holds the sum of the waves before, slots 1... the chunks of this one.
        Parallel.forEach(groups * count * plan.bands) { i in
          let band = i % plan.bands
          let chunk = i / plan.bands % count
          let group = i / plan.bands / count
          let channel = band * plan.bandChannels
          let begin = (first + chunk) * WeightGradientPlan.chunkPositions
          ck_tap_sum_weight_chunk(
            Backend.isa, c, x.pointer + group * sum.channels * sum.inputHeight * sum.inputWidth,
            dy.pointer + group * sum.outputChannels * sum.outputHeight * sum.outputWidth, Int64(channel),
            Int64(min(sum.channels, channel + plan.bandChannels)), Int64(begin),
            Int64(min(WeightGradientPlan.chunkPositions, plan.positions - begin)),
            partial + (group * (plan.wave + 1) + chunk + 1) * plan.partial + channel * taps * plan.lanes)
        }
        guard first + count < plan.chunks else {
          let skipped = first == 0 ? 1 : 0
          Parallel.forEach(groups * plan.bands) { i in
            let channel = i % plan.bands * plan.bandChannels
            let group = i / plan.bands
            ck_fold_weight_chunks(
              Int64(count + 1 - skipped), Int64(plan.partial),
              partial + (group * (plan.wave + 1) + skipped) * plan.partial + channel * taps * plan.lanes,
              Int64(plan.lanes), Int64(min(sum.channels - channel, plan.bandChannels)), Int64(taps),
              Int64(sum.outputChannels), target + (group * sum.outputChannels * sum.channels + channel) * taps,
              Int64(sum.channels * taps), Int64(taps))
          }
          continue
        }
        Parallel.forEach(groups) { group in
          let base = partial + group * (plan.wave + 1) * plan.partial
          for chunk in 1...count {
            ck_fold_plain(Int64(plan.partial), base + chunk * plan.partial, first == 0 && chunk == 1 ? 1 : 0, 0, base)
          }
        }
      }
    }
    return dw
  }
}

/// How the gradient of the weights is cut: chunks of positions, in waves that bound the memory, and bands of channels
/// where there are few chunks.
struct WeightGradientPlan {
  static let chunkPositions = 2048

  let positions: Int
  let chunks: Int
  /// Chunks in memory at a time.
  let wave: Int
  let bands: Int
  let bandChannels: Int
  let lanes: Int
  /// Floats of one chunk's result.
  let partial: Int

  init(sum: TapSum, images: Int, groups: Int) {
    positions = images * sum.outputHeight * sum.outputWidth
    chunks = (positions + WeightGradientPlan.chunkPositions - 1) / WeightGradientPlan.chunkPositions
    lanes = Int(ck_weight_lanes(Backend.isa, Int64(sum.outputChannels)))
    partial = sum.channels * sum.taps.count * lanes
    wave = max(1, min(chunks, 16_777_216 / max(1, partial * groups)))
    // A band turns the output gradient anew, so it must be worth it.
    let rows = sum.channels * sum.taps.count
    let wanted = chunks * groups >= 8 ? 1 : max(1, min(8 / (chunks * groups), rows / 128))
    let channels = (sum.channels + wanted - 1) / wanted
    bandChannels = max(1, channels)
    bands = (sum.channels + bandChannels - 1) / bandChannels
  }
}
