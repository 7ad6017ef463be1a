extension DeviceProgram {
  static let deformable = DeviceProgram(name: "deformable")
}

/// The samples of a deformable convolution on a device.
private struct DeviceSamples {
  let settings: DeformableConvolution
  let images: Int
  let channels: Int
  /// Cells of a plane of the input, and positions of a plane of the output.
  let area: Int
  let plane: Int
  let taps: Int
  let outputs: Int
  /// `[images, offset groups, positions, taps]`: nine words each.
  let corners: DevicePlace
  /// Three words each, where gradients are wanted.
  let extras: DevicePlace?

  static let words = 9

  /// Samples of a group of an image.
  var perGroup: Int { plane * taps }
  var columns: Int { channels * taps }
  var outputsPerGroup: Int { outputs / settings.groups }
  /// Rows of the columns that a group of the product reads.
  var depth: Int { columns / settings.groups }
}

// Deformable convolution on the device; `DeformableConvolution` says what it computes.
extension Device {
  /// As `DeformableConvolution.forward`.
  func deform(
    _ settings: DeformableConvolution, _ x: Tensor, offset: Tensor, mask: Tensor?, weight: Tensor, bias: Tensor?,
    _ shape: Shape
  ) -> Tensor {
    let s = samples(settings, x, offset, mask, weight.shape, shape, extras: false)
    var y = tensor(shape)
    let target = y.writablePlace(on: context)
    let band = max(64, columnWords / s.columns)
    for first in stride(from: 0, to: s.images * s.plane, by: s.plane) {
      for from in stride(from: 0, to: s.plane, by: band) {
        let count = min(band, s.plane - from)
        let columns = columns(s, x, first: first + from, count: count)
        let sum = TapSum(
          channels: s.depth, inputHeight: count, inputWidth: 1, inputImage: 0, stride: 1, taps: [(0, 0)],
          outputChannels: s.outputsPerGroup, outputHeight: count, outputWidth: 1, outputImage: 0,
          outputChannel: s.plane, outputRow: 1, outputColumn: 1)
        var output = target
        output.advance(by: first * s.outputs + from)
        run(
          sum, images: 1, groups: settings.groups,
          table: steps(channels: s.depth, plane: count, taps: [(0, 0)], weightChannel: 1, weightTaps: [0]),
          weight: weight, weightRow: s.depth, weightGroup: s.outputsPerGroup * s.depth, columns,
          inputGroup: s.depth * count, bias: bias, output: output, outputGroup: s.outputsPerGroup * s.plane)
      }
    }
    return y
  }

  /// As `DeformableConvolution.gradients`.
  func deformGradients(
    _ settings: DeformableConvolution, _ dy: Tensor, _ x: Tensor, offset: Tensor, mask: Tensor?, weight: Tensor
  ) -> DeformableConvolution.Gradients {
    let s = samples(settings, x, offset, mask, weight.shape, dy.shape, extras: true)
    var result = DeformableConvolution.Gradients(
      x: tensor(x.shape), offset: tensor(offset.shape), mask: mask.map { tensor($0.shape) },
      weight: deformWeightGradient(s, dy, x, weight.shape))
    let targets = (
      x: result.x.writablePlace(on: context), offset: result.offset.writablePlace(on: context),
      mask: result.mask?.writablePlace(on: context)
    )
    let dcolumns = DevicePlace(context.allocate(4 * s.columns * s.plane), of: Float.self)
    for image in 0..<s.images {
      for group in 0..<settings.groups {
        product(
          m: s.depth, n: s.plane, k: s.outputsPerGroup,
          weight.place(on: context).advanced(by: group * s.outputsPerGroup * s.depth), aRow: 1, aColumn: s.depth,
          dy.place(on: context).advanced(by: (image * s.outputs + group * s.outputsPerGroup) * s.plane), bRow: s.plane,
          bColumn: 1, columnBias: nil, into: dcolumns.advanced(by: group * s.depth * s.plane))
      }
      let perOffset = settings.offsetGroups * s.perGroup
      each(
        perOffset, .deformable, "deform_taps",
        [
          .int(perOffset), .int(s.channels), .int(s.area), .int(s.plane), .int(s.taps), .int(settings.offsetGroups),
          .place(s.corners.advanced(by: image * perOffset * DeviceSamples.words)),
          .place(s.extras!.advanced(by: image * perOffset * 3)),
          .place(x.place(on: context).advanced(by: image * s.channels * s.area)), .place(dcolumns),
          .place(targets.offset.advanced(by: image * 2 * perOffset)),
          .place((targets.mask ?? targets.offset).advanced(by: image * perOffset)), .int(mask == nil ? 0 : 1),
        ])
      for group in 0..<settings.offsetGroups {
        scatter(s, image: image, group: group, dcolumns, into: targets.x)
      }
    }
    return result
  }

  // MARK: Parts

  /// Words of columns in memory at a time.
  private var columnWords: Int { 1 << 26 }

  private func samples(
    _ settings: DeformableConvolution, _ x: Tensor, _ offset: Tensor, _ mask: Tensor?, _ weight: Shape, _ output: Shape,
    extras: Bool
  ) -> DeviceSamples {
    let plane = output[2] * output[3]
    let taps = weight[2] * weight[3]
    let n = x.shape[0] * settings.offsetGroups * plane * taps
    let s = DeviceSamples(
      settings: settings, images: x.shape[0], channels: x.shape[1], area: x.shape[2] * x.shape[3], plane: plane,
      taps: taps, outputs: output[1],
      corners: DevicePlace(context.allocate(4 * DeviceSamples.words * n), of: Float.self),
      extras: extras ? DevicePlace(context.allocate(12 * n), of: Float.self) : nil)
    each(
      n, .deformable, "deform_corners",
      [
        .int(n), .int(x.shape[2]), .int(x.shape[3]), .int(output[3]), .int(plane), .int(weight[3]), .int(taps),
        .int(settings.stride), .int(settings.padding), .int(settings.dilation), place(offset), place(mask ?? offset),
        .int(mask == nil ? 0 : 1), .place(s.corners), .place(s.extras ?? s.corners), .int(extras ? 1 : 0),
      ])
    return s
  }

  /// `[columns, count]` of flattened positions.
  private func columns(_ s: DeviceSamples, _ x: Tensor, first: Int, count: Int) -> DevicePlace {
    let columns = DevicePlace(context.allocate(4 * s.columns * count), of: Float.self)
    let items = tuning.flatItems
    context.launch(
      .deformable, "deform_columns", groups: ((count + items - 1) / items, s.columns, 1), items: items,
      [
        .int(count), .int(first), .int(s.channels), .int(s.area), .int(s.plane), .int(s.taps),
        .int(s.settings.offsetGroups), .place(s.corners), place(x), .place(columns),
      ])
    return columns
  }

  private func deformWeightGradient(_ s: DeviceSamples, _ dy: Tensor, _ x: Tensor, _ shape: Shape) -> Tensor {
    var dw = tensor(shape)
    let positions = s.images * s.plane
    let chunk = WeightGradientPlan.chunkPositions
    let wave = max(1, columnWords / s.columns / chunk) * chunk
    for first in stride(from: 0, to: positions, by: wave) {
      let count = min(wave, positions - first)
      let chunks = (count + chunk - 1) / chunk
      let partial = DevicePlace(context.allocate(4 * chunks * shape.count), of: Float.self)
      // Columns are planes of positions, the first of which is `first`.
      var table: [Int32] = []
      for row in 0..<s.depth { table += [Int32(row * count - first), 0, 0, 0] }
      let (height, width) = (dy.shape[2], dy.shape[3])
      tiles(
        "weight_chunk", rows: s.outputsPerGroup, columns: s.depth, layers: chunks * s.settings.groups,
        [
          .int(s.outputsPerGroup), .int(s.depth), .int(s.settings.groups), .int(first / chunk), .int(positions),
          .place(context.table(table)), .int(height), .int(width), .int(s.plane), .int(s.depth * count), .int(1),
          .int(s.plane), .int(width), .int(s.outputs * s.plane),
          .place(columns(s, x, first: first, count: count)), place(dy), .place(partial),
        ])
      fold(partial, parts: chunks, isFirst: first == 0, isLast: first + count == positions, into: &dw)
    }
    return dw
  }

  /// The gradient of the input of an offset group of an image.
  private func scatter(
    _ s: DeviceSamples, image: Int, group: Int, _ dcolumns: DevicePlace, into dx: DevicePlace
  ) {
    let entries = 4 * s.perGroup
    let corners = s.corners.advanced(
      by: (image * s.settings.offsetGroups + group) * s.perGroup * DeviceSamples.words)
    let cells = DevicePlace(context.allocate(4 * entries), of: Int32.self)
    each(entries, .deformable, "corner_cells", [.int(entries), .place(corners), .place(cells)])
    let (start, list) = lists(of: cells, entries: entries, cells: s.area)
    let channels = s.channels / s.settings.offsetGroups
    let items = tuning.flatItems
    context.launch(
      .deformable, "deform_input", groups: ((s.area + items - 1) / items, channels, 1), items: items,
      [
        .int(s.area), .int(s.plane), .int(s.taps), .place(corners), .place(start), .place(list),
        .place(dcolumns.advanced(by: group * channels * s.taps * s.plane)),
        .place(dx.advanced(by: (image * s.channels + group * channels) * s.area)),
      ])
  }

  /// For each cell the entries that fall on it, in order: where its list starts (and, behind the last, where that one
  /// ends), and all lists.
  func lists(of entriesCells: DevicePlace, entries: Int, cells: Int) -> (start: DevicePlace, list: DevicePlace) {
    let counts = DevicePlace(context.allocate(4 * cells), of: Int32.self)
    let start = DevicePlace(context.allocate(4 * (cells + 1)), of: Int32.self)
    let list = DevicePlace(context.allocate(4 * entries), of: Int32.self)
    each(cells, .deformable, "clear", [.int(cells), .place(counts)])
    each(entries, .deformable, "count_entries", [.int(entries), .place(entriesCells), .place(counts)])
    context.launch(
      .deformable, "start_lists", groups: (1, 1, 1), items: 256, [.int(cells), .place(counts), .place(start)])
    each(
      entries, .deformable, "place_entries", [.int(entries), .place(entriesCells), .place(counts), .place(list)])
    context.launch(
      .deformable, "list_first_cell", groups: (1, 1, 1), items: 256,
      [.int(entries), .place(entriesCells), .place(list)])
    each(cells, .deformable, "sort_lists", [.int(cells), .place(start), .place(list)])
    return (start, list)
  }
}
