extension DeviceProgram {
  static let pooling = DeviceProgram(name: "pooling")
}

// Pooling and resampling on the device; `Pooling` and `Resampling` say what they compute.
extension Device {
  /// Extents of input and output planes.
  private func planes(_ input: Shape, _ output: Shape) -> [DeviceArgument] {
    [.int(input[2]), .int(input[3]), .int(output[2]), .int(output[3])]
  }

  private func window(_ window: PoolingWindow) -> [DeviceArgument] {
    [.int(window.kernelSize), .int(window.stride), .int(window.padding)]
  }

  /// - Returns: maxima, and their indices as bits.
  func maximum(_ x: Tensor, _ window: PoolingWindow, _ shape: Shape) -> (output: Tensor, indices: Tensor) {
    let (out, indices) = (tensor(shape), tensor(shape))
    each(
      out.count, .pooling, "max_pool",
      [.int(out.count)] + planes(x.shape, shape) + self.window(window) + [place(x), place(out), place(indices)])
    return (out, indices)
  }

  func maximumGradient(_ dy: Tensor, indices: Tensor, _ window: PoolingWindow, _ input: Shape) -> Tensor {
    let dx = tensor(input)
    each(
      dx.count, .pooling, "max_pool_gradient",
      [.int(dx.count)] + planes(input, dy.shape) + self.window(window) + [place(indices), place(dy), place(dx)])
    return dx
  }

  func averageGradient(_ dy: Tensor, _ input: Shape) -> Tensor {
    let dx = tensor(input)
    each(
      dx.count, .pooling, "average_gradient", [.int(dx.count), .int(input.planeSize), place(dy), place(dx)])
    return dx
  }

  /// A kernel with an item for each element of the result: `subsample`, `nearest`, and their gradients.
  ///
  /// - Parameters:
  ///   - input: of the forward direction; so is `output`.
  ///   - result: one of the two.
  func resample(
    _ kernel: String, _ x: Tensor, input: Shape, output: Shape, result: Shape, stride: Int? = nil
  ) -> Tensor {
    let out = tensor(result)
    let step = stride.map { [DeviceArgument.int($0)] } ?? []
    each(
      out.count, .pooling, kernel, [.int(out.count)] + planes(input, output) + step + [place(x), place(out)])
    return out
  }

  func bilinear(_ x: Tensor, _ rows: BilinearAxis, _ columns: BilinearAxis, _ shape: Shape) -> Tensor {
    let out = tensor(shape)
    each(
      out.count, .pooling, "bilinear",
      [.int(out.count)] + planes(x.shape, shape) + [
        .place(table(rows)), .place(table(columns)), place(x), place(out),
      ])
    return out
  }

  func bilinearGradient(_ dy: Tensor, _ rows: BilinearAxis, _ columns: BilinearAxis, _ input: Shape) -> Tensor {
    let (height, width) = (dy.shape[2], dy.shape[3])
    let middle = tensor([input[0], input[1], input[2], width])
    each(
      middle.count, .pooling, "bilinear_gather",
      [
        .int(middle.count), .int(input[2]), .int(height), .int(width), .place(table(rows.gathered())), place(dy),
        place(middle),
      ])
    let dx = tensor(input)
    each(
      dx.count, .pooling, "bilinear_gather",
      [
        .int(dx.count), .int(input[3]), .int(width), .int(1), .place(table(columns.gathered())), place(middle),
        place(dx),
      ])
    return dx
  }

  private func table(_ axis: BilinearAxis) -> DevicePlace {
    context.table(
      axis.first.indices.flatMap { i in
        [axis.first[i], axis.second[i], bits(axis.low[i]), bits(axis.high[i])]
      })
  }

  private func table(_ axis: GatherAxis) -> DevicePlace {
    context.table(axis.start + zip(axis.destination, axis.weight).flatMap { [$0, bits($1)] })
  }

  private func bits(_ value: Float) -> Int32 { Int32(bitPattern: value.bitPattern) }
}
