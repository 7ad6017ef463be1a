// Products and convolutions on the device; `MatrixProduct`, `Convolution2D` and `LinearMap` say what they compute.
extension Device {
  private func products(_ tile: DeviceTuning.Tile) -> DeviceProgram {
    DeviceProgram(name: "products", macros: tile.macros)
  }

  /// Starts a kernel with a group for each tile of `layers` matrices.
  func tiles(_ kernel: String, rows: Int, columns: Int, layers: Int, _ arguments: [DeviceArgument]) {
    let tile = tuning.tile(rows: rows, columns: columns, layers: layers)
    context.launch(
      products(tile), kernel,
      groups: ((columns + tile.columns - 1) / tile.columns, (rows + tile.rows - 1) / tile.rows, layers),
      items: tile.items, arguments)
  }

  /// `[m, n]`, from the factors' strides.
  func product(
    m: Int, n: Int, k: Int, _ a: Tensor, aRow: Int, aColumn: Int, _ b: Tensor, bRow: Int, bColumn: Int,
    columnBias: Tensor?
  ) -> Tensor {
    let c = tensor([m, n])
    product(
      m: m, n: n, k: k, a.place(on: context), aRow: aRow, aColumn: aColumn, b.place(on: context), bRow: bRow,
      bColumn: bColumn, columnBias: columnBias?.place(on: context), into: c.place(on: context))
    return c
  }

  func product(
    m: Int, n: Int, k: Int, _ a: DevicePlace, aRow: Int, aColumn: Int, _ b: DevicePlace, bRow: Int, bColumn: Int,
    columnBias: DevicePlace?, into c: DevicePlace
  ) {
    tiles(
      "product", rows: m, columns: n, layers: 1,
      [
        .int(m), .int(n), .int(k), .place(a), .int(aRow), .int(aColumn), .place(b), .int(bRow), .int(bColumn),
        .place(columnBias ?? a), .int(columnBias == nil ? 0 : 1), .place(c),
      ])
  }

  /// Adds `parts` chunks, one after the other in `partial`, to `sum`.
  func fold(_ partial: DevicePlace, parts: Int, isFirst: Bool, isLast: Bool, into sum: inout Tensor) {
    let n = sum.count
    each(
      n, products(tuning.tiles[0]), "fold_chunks",
      [
        .int(n), .int(parts), .int(n), .int(isFirst ? 1 : 0), .int(isLast ? 1 : 0), .place(partial),
        .place(sum.writablePlace(on: context)),
      ])
  }

  /// As `LinearMap.weightGradient` for more rows than a chunk has.
  func linearWeightGradient(_ dy: Tensor, _ x: Tensor) -> Tensor {
    var total = tensor([dy.shape[1], x.shape[1]])
    let (rows, chunk) = (dy.shape[0], WeightGradientPlan.chunkPositions)
    for first in stride(from: 0, to: rows, by: chunk) {
      let range = first..<min(rows, first + chunk)
      let part = MatrixProduct.multiply(dy.rows(range), transposeA: true, x.rows(range))
      fold(
        part.place(on: context), parts: 1, isFirst: first == 0, isLast: range.upperBound == rows, into: &total)
    }
    return total
  }

  // MARK: Convolution

  /// For each step of a chain of `channels` channels, taps inside: the offset of the channel, of the tap's row and
  /// column, and of the weight.
  func steps(
    channels: Int, plane: Int, taps: [(y: Int, x: Int)], weightChannel: Int, weightTaps: [Int]
  ) -> DevicePlace {
    var table: [Int32] = []
    table.reserveCapacity(4 * channels * taps.count)
    for channel in 0..<channels {
      for (tap, weight) in zip(taps, weightTaps) {
        table.append(Int32(channel * plane))
        table.append(Int32(tap.y))
        table.append(Int32(tap.x))
        table.append(Int32(channel * weightChannel + weight))
      }
    }
    return context.table(table)
  }

  /// A tap sum of all groups, as in `Convolution2D`.
  func run(
    _ sum: TapSum, images: Int, groups: Int, table: DevicePlace, weight: Tensor, weightRow: Int, weightGroup: Int,
    _ x: DevicePlace, inputGroup: Int, bias: Tensor?, output: DevicePlace, outputGroup: Int
  ) {
    let plane = sum.outputHeight * sum.outputWidth
    tiles(
      "tap_sum", rows: sum.outputChannels, columns: images * plane, layers: groups,
      [
        .int(sum.outputChannels), .int(images * plane), .int(sum.channels * sum.taps.count), .place(table),
        .int(sum.inputHeight), .int(sum.inputWidth), .int(sum.inputImage), .int(inputGroup), .int(sum.stride),
        .int(plane), .int(sum.outputWidth), .int(sum.outputImage), .int(outputGroup), .int(sum.outputChannel),
        .int(sum.outputRow), .int(sum.outputColumn), place(weight), .int(weightRow), .int(weightGroup), .place(x),
        place(bias ?? weight), .int(bias == nil ? 0 : 1), .place(output),
      ])
  }

  /// As `Convolution2D.forward`; not depthwise.
  func convolve(_ c: Convolution2D, _ x: Tensor, weight: Tensor, bias: Tensor?, _ shape: Shape) -> Tensor {
    var y = tensor(shape)
    let kernel = weight.shape[2] * weight.shape[3]
    let sum = c.tapSum(input: x.shape, weight: weight.shape)
    let inner = sum.channels * kernel
    let table = steps(
      channels: sum.channels, plane: sum.inputHeight * sum.inputWidth, taps: sum.taps, weightChannel: kernel,
      weightTaps: Array(0..<kernel))
    run(
      sum, images: x.shape[0], groups: c.groups, table: table, weight: weight, weightRow: inner,
      weightGroup: sum.outputChannels * inner, x.place(on: context),
      inputGroup: sum.channels * sum.inputHeight * sum.inputWidth,
      bias: bias, output: y.writablePlace(on: context), outputGroup: sum.outputChannels * sum.outputChannel)
    return y
  }

  /// As `Convolution2D.gatherGradient`; not depthwise.
  func gatherGradient(_ c: Convolution2D, _ dy: Tensor, weight: Tensor, bias: Tensor?, inputShape: Shape) -> Tensor {
    let (height, width) = (inputShape[2], inputShape[3])
    let kernel = weight.shape[2] * weight.shape[3]
    let (inputs, outputs) = (weight.shape[1], weight.shape[0] / c.groups)
    let phases = c.gatherPhases(weight: weight.shape, height: height, width: width)
    let isCovered = phases.allSatisfy { !$0.taps.isEmpty }
    precondition(isCovered || bias == nil, "Convolution2D: a transposed convolution must reach every position")
    var dx = isCovered ? tensor(inputShape) : filled(0, inputShape)
    for phase in phases where !phase.taps.isEmpty && phase.y < height && phase.x < width {
      let sum = c.phaseSum(phase, dy: dy.shape, weight: weight.shape, inputShape: inputShape)
      let table = steps(
        channels: outputs, plane: dy.shape[2] * dy.shape[3], taps: phase.positions, weightChannel: inputs * kernel,
        weightTaps: phase.taps)
      var output = dx.writablePlace(on: context)
      output.advance(by: phase.y * width + phase.x)
      run(
        sum, images: dy.shape[0], groups: c.groups, table: table, weight: weight, weightRow: kernel,
        weightGroup: outputs * inputs * kernel, dy.place(on: context), inputGroup: outputs * dy.shape[2] * dy.shape[3],
        bias: bias,
        output: output, outputGroup: inputs * height * width)
    }
    return dx
  }

  /// As `Convolution2D.weightGradient`; not depthwise. Waves of chunks bound the memory.
  func weightGradient(_ c: Convolution2D, _ dy: Tensor, _ x: Tensor, weightShape: Shape) -> Tensor {
    let sum = c.tapSum(input: x.shape, weight: weightShape)
    let taps = sum.taps.count
    let plane = sum.outputHeight * sum.outputWidth
    let positions = x.shape[0] * plane
    let chunks = (positions + WeightGradientPlan.chunkPositions - 1) / WeightGradientPlan.chunkPositions
    let wave = max(1, min(chunks, (1 << 26) / weightShape.count))
    let partial = DevicePlace(context.allocate(4 * wave * weightShape.count), of: Float.self)
    let table = steps(
      channels: sum.channels, plane: sum.inputHeight * sum.inputWidth, taps: sum.taps, weightChannel: taps,
      weightTaps: Array(0..<taps))
    var dw = tensor(weightShape)
    for first in stride(from: 0, to: chunks, by: wave) {
      let count = min(wave, chunks - first)
      tiles(
        "weight_chunk", rows: sum.outputChannels, columns: sum.channels * taps, layers: count * c.groups,
        [
          .int(sum.outputChannels), .int(sum.channels * taps), .int(c.groups), .int(first), .int(positions),
          .place(table), .int(sum.inputHeight), .int(sum.inputWidth), .int(sum.inputImage),
          .int(sum.channels * sum.inputHeight * sum.inputWidth), .int(sum.stride), .int(plane),
          .int(sum.outputWidth), .int(sum.outputImage), place(x), place(dy), .place(partial),
        ])
      fold(partial, parts: count, isFirst: first == 0, isLast: first + count == chunks, into: &dw)
    }
    return dw
  }

  /// As `Convolution2D.biasGradient`.
  func biasGradient(_ dy: Tensor) -> Tensor { foldPlanes(.values(dy), dy.shape, into: [dy.shape[1]]) }
}
