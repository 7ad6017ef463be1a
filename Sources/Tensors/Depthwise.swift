import CKernels
import Determinism

/// Depthwise convolution, which `Convolution2D` selects where every channel is its own group.
extension Convolution2D {
  func depthwiseForward(_ x: Tensor, weight: Tensor, bias: Tensor?, into y: inout Tensor) {
    let (source, kernel, shift, target) = (x.pointer, weight.pointer, bias?.pointer, y.mutablePointer)
    depthwiseRun(input: x.shape, weight: weight.shape, rows: y.shape[2], width: y.shape[3]) { d, planes, rows in
      ck_depthwise_forward(
        Backend.isa, d, kernel.base, source.base, shift?.base, target.base, Int64(planes.lowerBound),
        Int64(planes.upperBound),
        Int64(rows.lowerBound), Int64(rows.upperBound))
    }
    withExtendedLifetime(bias) {}
  }

  func depthwiseInputGradient(_ dy: Tensor, weight: Tensor, inputShape: Shape) -> Tensor {
    if let device = Device.current, device.takes(dy, weight) {
      return device.depthwiseInputGradient(
        depthwiseGeometry(input: inputShape, weight: weight.shape), dy, weight: weight, inputShape: inputShape)
    }
    var dx = Tensor(uninitialized: inputShape)
    let (source, kernel, target) = (dy.pointer, weight.pointer, dx.mutablePointer)
    let groups = (inputShape[2] + stride - 1) / stride
    depthwiseRun(
      input: inputShape, weight: weight.shape, rows: groups, width: stride * inputShape[3]
    ) { d, planes, rows in
      ck_depthwise_input_gradient(
        Backend.isa, d, kernel.base, source.base, target.base, Int64(planes.lowerBound), Int64(planes.upperBound),
        Int64(rows.lowerBound), Int64(rows.upperBound))
    }
    return dx
  }

  func depthwiseWeightGradient(_ dy: Tensor, _ x: Tensor, weightShape: Shape) -> Tensor {
    let geometry = depthwiseGeometry(input: x.shape, weight: weightShape)
    if let device = Device.current, device.takes(dy, x) {
      return device.depthwiseWeightGradient(geometry, dy, x, weightShape: weightShape)
    }
    let channels = groups
    let lanes = Int(ck_depthwise_lanes(Backend.isa))
    let blocks = (channels + lanes - 1) / lanes
    let positions = dy.shape[0] * dy.shape[2] * dy.shape[3]
    let chunk = WeightGradientPlan.chunkPositions
    let chunks = (positions + chunk - 1) / chunk
    let taps = weightShape[2] * weightShape[3]
    let size = taps * lanes
    // Blocks are full vectors where there are enough channels: the last one overlaps the one before.
    let first = { (block: Int) in max(0, min(block * lanes, channels - lanes)) }
    var partials = Tensor(uninitialized: [blocks, chunks, size])
    var dw = Tensor(uninitialized: weightShape)
    let (source, upstream) = (x.pointer, dy.pointer)
    let partial = partials.mutablePointer
    let target = dw.mutablePointer
    withUnsafePointer(to: geometry) { d in
      Parallel.forEach(blocks * chunks) { i in
        let position = i % chunks * chunk
        let channel = first(i / chunks)
        ck_depthwise_weight_chunk(
          Backend.isa, d, source.base, upstream.base, Int64(channel), Int64(min(lanes, channels - channel)),
          Int64(position),
          Int64(min(chunk, positions - position)), partial + i * size)
      }
    }
    for block in 0..<blocks {
      let channel = first(block)
      ck_fold_weight_chunks(
        Backend.isa, Int64(chunks), Int64(size), partial + block * chunks * size, Int64(lanes), 1, Int64(taps),
        Int64(min(lanes, channels - channel)), target + channel * taps, Int64(taps), Int64(taps))
    }
    return dw
  }

  func depthwiseGeometry(input: Shape, weight: Shape) -> ck_depthwise {
    let output = outputShape(input: input, weight: weight)
    precondition(weight[2] * weight[3] <= 128, "depthwise convolution: \(weight) has more than 128 taps")
    return ck_depthwise(
      channels: Int64(input[1]), in_h: Int64(input[2]), in_w: Int64(input[3]), out_h: Int64(output[2]),
      out_w: Int64(output[3]), kernel_h: Int64(weight[2]), kernel_w: Int64(weight[3]), stride: Int64(stride),
      padding: Int64(padding), dilation: Int64(dilation))
  }

  /// Calls `body` for pieces of planes and rows; `width` is the work of a row in elements.
  private func depthwiseRun(
    input: Shape, weight: Shape, rows: Int, width: Int,
    _ body: (UnsafePointer<ck_depthwise>, Range<Int>, Range<Int>) -> Void
  ) {
    let planes = input[0] * input[1]
    // Planes come in multiples of 16, the lanes of the widest vectors; a piece takes some ten microseconds.
    let lanes = 16
    let block = max(1, 4096 / max(1, rows * width)) * lanes
    let band = max(28, 8192 / max(1, width))
    let blocks = (planes + block - 1) / block
    let bands = (rows + band - 1) / band
    withUnsafePointer(to: depthwiseGeometry(input: input, weight: weight)) { d in
      Parallel.forEach(blocks * bands) { i in
        let plane = i / bands * block
        let row = i % bands * band
        body(d, plane..<min(planes, plane + block), row..<min(rows, row + band))
      }
    }
  }
}
