import Determinism

// Dense convolution by im2col and matrix products, the textbook method: a second, independent implementation.
//
//   forward            y = W · columns(x)
//   gradient of input  columns(dx) = Wᵀ · dy, scattered back to the image (col2im)
//   gradient of W      the sum over images, ascending, of dy · columns(x)ᵀ
//
// `columns(x)` of one image and group is `[channels · taps, positions]`. Work is split by image and group.

extension Convolution2D {
  /// The shapes of one call.
  private struct Plan {
    let images: Int, groups: Int
    /// Channels of one group.
    let channels: Int, outputs: Int
    let height: Int, width: Int
    let kernelHeight: Int, kernelWidth: Int
    let outHeight: Int, outWidth: Int

    init(_ c: Convolution2D, input: Shape, weight: Shape, output: Shape) {
      (images, groups) = (input[0], c.groups)
      (channels, outputs) = (weight[1], weight[0] / c.groups)
      (height, width) = (input[2], input[3])
      (kernelHeight, kernelWidth) = (weight[2], weight[3])
      (outHeight, outWidth) = (output[2], output[3])
    }

    var rows: Int { channels * kernelHeight * kernelWidth }
    var positions: Int { outHeight * outWidth }
    /// Offset in floats of image `i / groups` and group `i % groups`.
    func input(_ i: Int) -> Int { i * channels * height * width }
    func output(_ i: Int) -> Int { i * outputs * positions }
    func weight(_ i: Int) -> Int { i % groups * outputs * rows }
  }

  func forward(_ x: Tensor, weight: Tensor, bias: Tensor?, with blas: OpenBLAS) -> Tensor {
    let shape = outputShape(input: x.shape, weight: weight.shape)
    let plan = Plan(self, input: x.shape, weight: weight.shape, output: shape)
    var y = Tensor(uninitialized: shape)
    let out = y.mutablePointer
    Parallel.forEach(plan.images * plan.groups) { i in
      let columns = columns(of: x.pointer + plan.input(i), plan)
      let part = out + plan.output(i)
      blas.multiply(
        m: plan.outputs, n: plan.positions, k: plan.rows,
        .init(weight.pointer + plan.weight(i), row: plan.rows, column: 1),
        .init(columns.pointer.base, row: plan.positions, column: 1), part, row: plan.positions)
      guard let bias else { return }
      for o in 0..<plan.outputs {
        let term = bias[flat: i % plan.groups * plan.outputs + o]
        for p in 0..<plan.positions { part[o * plan.positions + p] += term }
      }
    }
    return y
  }

  /// - Parameter bias: one term per channel of the input, for the transposed convolution.
  func inputGradient(_ dy: Tensor, weight: Tensor, bias: Tensor?, inputShape: Shape, with blas: OpenBLAS) -> Tensor {
    let plan = Plan(self, input: inputShape, weight: weight.shape, output: dy.shape)
    var dx = Tensor(zeros: inputShape)
    let out = dx.mutablePointer
    Parallel.forEach(plan.images * plan.groups) { i in
      var columns = Tensor(uninitialized: [plan.rows, plan.positions])
      let buffer = columns.mutablePointer
      blas.multiply(
        m: plan.rows, n: plan.positions, k: plan.outputs,
        .init(weight.pointer + plan.weight(i), row: 1, column: plan.rows),
        .init(dy.pointer + plan.output(i), row: plan.positions, column: 1), buffer.base, row: plan.positions)
      let image = out + plan.input(i)
      each(plan) { pixel, column in image[pixel] += buffer[column] }
      guard let bias else { return }
      let plane = plan.height * plan.width
      for c in 0..<plan.channels {
        for p in 0..<plane { image[c * plane + p] += bias[flat: i % plan.groups * plan.channels + c] }
      }
    }
    return dx
  }

  func weightGradient(_ dy: Tensor, _ x: Tensor, weightShape: Shape, with blas: OpenBLAS) -> Tensor {
    let plan = Plan(self, input: x.shape, weight: weightShape, output: dy.shape)
    var dw = Tensor(uninitialized: weightShape)
    let out = dw.mutablePointer
    Parallel.forEach(plan.groups) { group in
      for image in 0..<plan.images {
        let i = image * plan.groups + group
        let columns = columns(of: x.pointer + plan.input(i), plan)
        blas.multiply(
          m: plan.outputs, n: plan.rows, k: plan.positions,
          .init(dy.pointer + plan.output(i), row: plan.positions, column: 1),
          .init(columns.pointer.base, row: 1, column: plan.positions), out + plan.weight(group), row: plan.rows,
          adding: image > 0)
      }
    }
    return dw
  }

  /// im2col: `[channels · taps, positions]` of one image and group; zeros outside the image.
  private func columns(of image: UnsafePointer<Float>, _ plan: Plan) -> Tensor {
    var columns = Tensor(zeros: [plan.rows, plan.positions])
    let buffer = columns.mutablePointer
    each(plan) { pixel, column in buffer[column] = image[pixel] }
    return columns
  }

  /// Calls `body` for every tap inside the image, with the index of its pixel and of its element in the columns.
  private func each(_ plan: Plan, _ body: (_ pixel: Int, _ column: Int) -> Void) {
    var row = 0
    for channel in 0..<plan.channels {
      for ky in 0..<plan.kernelHeight {
        for kx in 0..<plan.kernelWidth {
          for oy in 0..<plan.outHeight {
            let y = oy * stride + ky * dilation - padding
            guard y >= 0 && y < plan.height else { continue }
            let pixels = (channel * plan.height + y) * plan.width
            for ox in 0..<plan.outWidth {
              let x = ox * stride + kx * dilation - padding
              guard x >= 0 && x < plan.width else { continue }
              body(pixels + x, row * plan.positions + oy * plan.outWidth + ox)
            }
          }
          row += 1
        }
      }
    }
  }
}
