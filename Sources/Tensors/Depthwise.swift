import CKernels
import Determinism

/// Depthwise convolution, chosen by `Convolution2D` where every channel is a group of its own.
extension Convolution2D {
  func depthwiseForward(_ x: Tensor, weight: Tensor, bias: Tensor?, into y: inout Tensor) {
    let taps = Array(0..<weight.shape[2] * weight.shape[3])
    depthwiseRun(
      depthwiseSum(input: x.shape, weight: weight.shape), images: x.shape[0], taps: taps, weight: weight,
      input: x.pointer, bias: bias?.pointer, output: y.mutablePointer)
  }

  /// One gather per residue of the stride.
  func depthwiseInputGradient(_ dy: Tensor, weight: Tensor, inputShape: Shape) -> Tensor {
    let (height, width) = (inputShape[2], inputShape[3])
    var dx = Tensor(zeros: inputShape)
    for phase in gatherPhases(weight: weight.shape, height: height, width: width) where !phase.taps.isEmpty {
      let sum = TapSum(
        channels: dy.shape[1], inputHeight: dy.shape[2], inputWidth: dy.shape[3],
        inputImage: dy.shape[1] * dy.shape[2] * dy.shape[3], stride: 1,
        taps: phase.positions, outputChannels: inputShape[1], outputHeight: (height - phase.y + stride - 1) / stride,
        outputWidth: (width - phase.x + stride - 1) / stride, outputImage: inputShape[1] * height * width,
        outputChannel: height * width, outputRow: stride * width, outputColumn: stride)
      depthwiseRun(
        sum, images: dy.shape[0], taps: phase.taps, weight: weight, input: dy.pointer, bias: nil,
        output: dx.mutablePointer + phase.y * width + phase.x)
    }
    return dx
  }

  func depthwiseWeightGradient(_ dy: Tensor, _ x: Tensor, weightShape: Shape) -> Tensor {
    let sum = depthwiseSum(input: x.shape, weight: weightShape)
    let channels = groups
    let lanes = Int(ck_depthwise_lanes(Backend.isa))
    let blocks = (channels + lanes - 1) / lanes
    let positions = x.shape[0] * sum.outputHeight * sum.outputWidth
    let chunk = WeightGradientPlan.chunkPositions
    let chunks = (positions + chunk - 1) / chunk
    let taps = sum.taps.count
    let size = taps * lanes
    var partials = Tensor(uninitialized: [blocks, chunks, size])
    var dw = Tensor(uninitialized: weightShape)
    let partial = partials.mutablePointer
    let target = dw.mutablePointer
    sum.withC { c in
      Parallel.forEach(blocks * chunks) { i in
        let first = i % chunks * chunk
        let channel = i / chunks * lanes
        ck_depthwise_weight_chunk(
          Backend.isa, c, x.pointer, dy.pointer, Int64(channel), Int64(min(lanes, channels - channel)), Int64(first),
          Int64(min(chunk, positions - first)), partial + i * size)
      }
    }
    for block in 0..<blocks {
      let channel = block * lanes
      ck_fold_weight_chunks(
        Backend.isa, Int64(chunks), Int64(size), partial + block * chunks * size, Int64(lanes), 1, Int64(taps),
        Int64(min(lanes, channels - channel)), target + channel * taps, Int64(taps), Int64(taps))
    }
    return dw
  }

  private func depthwiseSum(input: Shape, weight: Shape) -> TapSum {
    var sum = tapSum(input: input, weight: weight)
    sum.channels = groups
    sum.outputChannels = groups
    return sum
  }

  private func depthwiseRun(
    _ sum: TapSum, images: Int, taps: [Int], weight: Tensor, input: UnsafePointer<Float>,
    bias: UnsafePointer<Float>?, output: UnsafeMutablePointer<Float>
  ) {
    let channels = groups
    let kernel = weight.shape[2] * weight.shape[3]
    // Small planes go together, so that they fill vectors; a piece is worth a few microseconds.
    let area = max(1, max(sum.inputHeight * sum.inputWidth, sum.outputHeight * sum.outputWidth))
    let group = max(1, min(images, 2048 / area))
    let imagePieces = (images + group - 1) / group
    let block = max(1, min(channels, 16_384 / (group * area)))
    let blocks = (channels + block - 1) / block
    let index = taps.map(Int64.init)
    sum.withC { c in
      Parallel.forEach(imagePieces * blocks) { i in
        let image = i / blocks * group
        let channel = i % blocks * block
        ck_depthwise_forward(
          Backend.isa, c, index, Int64(kernel), weight.pointer, input, bias, output, Int64(channel),
          Int64(min(channels, channel + block)), Int64(image), Int64(min(group, images - image)))
      }
    }
  }
}
