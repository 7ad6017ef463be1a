import CKernels
import Determinism

extension Convolution2D {
  /// The gradient of the weights, of shape `weightShape`.
  ///
  /// Output positions, flattened as (image, y, x), are split into chunks of 2048. Each chunk is one chain from +0, and
  /// chunks are added in ascending order.
  public func weightGradient(_ dy: Tensor, _ x: Tensor, weightShape: Shape) -> Tensor {
    let output = outputShape(input: x.shape, weight: weightShape)
    precondition(dy.shape == output, "Convolution2D: gradient \(dy.shape), input \(x.shape), weight \(weightShape)")
    if dy.isEmpty || weightShape.count == 0 { return Tensor(zeros: weightShape) }
    if isDepthwise(input: x.shape, weight: weightShape) {
      return depthwiseWeightGradient(dy, x, weightShape: weightShape)
    }
    if let device = Device.current, device.takes(dy, x) {
      return device.weightGradient(self, dy, x, weightShape: weightShape)
    }
    if let library = Engine.openBLAS { return weightGradient(dy, x, weightShape: weightShape, with: library) }
    let sum = tapSum(input: x.shape, weight: weightShape)
    let plan = WeightGradientPlan(sum: sum, images: x.shape[0], groups: groups)
    var dw = Tensor(uninitialized: weightShape)
    let target = dw.mutablePointer
    // Per group: slot 0 holds the sum of earlier waves, slots 1... the chunks of this wave.
    var partials = Tensor(uninitialized: [groups, plan.wave + 1, plan.partial])
    let partial = partials.mutablePointer
    let taps = sum.taps.count
    sum.withC { c in
      for first in Swift.stride(from: 0, to: plan.chunks, by: plan.wave) {
        let count = min(plan.wave, plan.chunks - first)
        Parallel.forEach(groups * count * plan.blocks) { i in
          let block = plan.block(i % plan.blocks, of: sum)
          let chunk = i / plan.blocks % count
          let group = i / plan.blocks / count
          let begin = (first + chunk) * WeightGradientPlan.chunkPositions
          var part = c.pointee
          part.out_channels = Int64(block.outputs.count)
          ck_tap_sum_weight_chunk(
            Backend.isa, &part, x.pointer + group * sum.channels * sum.inputHeight * sum.inputWidth,
            dy.pointer + (group * sum.outputChannels + block.outputs.lowerBound) * sum.outputChannel,
            Int64(block.channels.lowerBound), Int64(block.channels.upperBound), Int64(begin),
            Int64(min(WeightGradientPlan.chunkPositions, plan.positions - begin)),
            partial + (group * (plan.wave + 1) + chunk + 1) * plan.partial + block.offset)
        }
        guard first + count < plan.chunks else {
          let skipped = first == 0 ? 1 : 0
          Parallel.forEach(groups * plan.blocks) { i in
            let block = plan.block(i % plan.blocks, of: sum)
            let group = i / plan.blocks
            let row = group * sum.outputChannels + block.outputs.lowerBound
            ck_fold_weight_chunks(
              Backend.isa, Int64(count + 1 - skipped), Int64(plan.partial),
              partial + (group * (plan.wave + 1) + skipped) * plan.partial + block.offset, Int64(block.lanes),
              Int64(block.channels.count), Int64(taps), Int64(block.outputs.count),
              target + (row * sum.channels + block.channels.lowerBound) * taps, Int64(sum.channels * taps),
              Int64(taps))
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

/// How the computation of a weight gradient is split: into chunks of positions, processed in waves that bound the
/// memory; into blocks of output channels, each of which interleaves its own part of the output gradient; and into
/// bands of input channels where the blocks are few.
struct WeightGradientPlan {
  static let chunkPositions = 2048

  let positions: Int
  let chunks: Int
  /// Chunks held in memory at a time.
  let wave: Int
  /// Floats of one chunk's result.
  let partial: Int
  private let blockOutputs: Int
  private let bandChannels: Int
  private let bands: Int

  /// Blocks of one chunk, bands included.
  let blocks: Int

  init(sum: TapSum, images: Int, groups: Int) {
    positions = images * sum.outputHeight * sum.outputWidth
    chunks = (positions + WeightGradientPlan.chunkPositions - 1) / WeightGradientPlan.chunkPositions
    let rows = sum.channels * sum.taps.count
    let most = (sum.outputChannels + 63) / 64
    blockOutputs = ((sum.outputChannels + most - 1) / most).roundedUp(toMultipleOf: 16)
    let outputBlocks = (sum.outputChannels + blockOutputs - 1) / blockOutputs
    partial = rows * outputBlocks * blockOutputs
    wave = max(1, min(chunks, 16_777_216 / max(1, partial * groups)))
    let pieces = chunks * groups * outputBlocks
    let wanted = pieces >= 8 ? 1 : max(1, min(8 / pieces, rows / 96))
    bandChannels = wanted == 1 ? sum.channels : ((sum.channels + wanted - 1) / wanted).roundedUp(toMultipleOf: 12)
    bands = (sum.channels + bandChannels - 1) / bandChannels
    blocks = outputBlocks * bands
  }

  struct Block {
    let outputs: Range<Int>
    let channels: Range<Int>
    /// Floats of a row of the block.
    let lanes: Int
    /// Offset of the block in the result of a chunk.
    let offset: Int
  }

  func block(_ index: Int, of sum: TapSum) -> Block {
    let output = index / bands * blockOutputs
    let channel = index % bands * bandChannels
    let outputs = output..<min(sum.outputChannels, output + blockOutputs)
    let lanes = Int(ck_weight_lanes(Backend.isa, Int64(outputs.count)))
    return Block(
      outputs: outputs, channels: channel..<min(sum.channels, channel + bandChannels), lanes: lanes,
      offset: sum.taps.count * (sum.channels * output + channel * lanes))
  }
}
