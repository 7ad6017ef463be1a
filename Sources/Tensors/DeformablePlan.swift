import CKernels
import Determinism

/// One deformable convolution of given tensors: its geometry, how the work is split, and the parts of both passes.
struct DeformablePlan {
  let settings: DeformableConvolution
  let x: Tensor
  let offset: Tensor
  let mask: Tensor?
  let output: Shape
  let images: Int
  let outputs: Int
  /// Output positions of an image.
  let plane: Int
  /// Rows of the sampled columns: input channel by tap.
  let columns: Int
  let taps: Int
  let geometry: ck_deform
  /// Floats of one position of an interleaved image.
  let width: Int
  /// The input with channels side by side, `[N, H · W, width]`: sampling reads whole vectors of channels.
  let interleaved: Tensor

  init(_ settings: DeformableConvolution, x: Tensor, offset: Tensor, mask: Tensor?, weight: Shape) {
    self.settings = settings
    self.x = x
    self.offset = offset
    self.mask = mask
    output = settings.output(x, offset, mask, weight: weight)
    images = output[0]
    outputs = output[1]
    plane = output[2] * output[3]
    taps = weight[2] * weight[3]
    columns = x.shape[1] * taps
    geometry = ck_deform(
      channels: Int64(x.shape[1]), in_h: Int64(x.shape[2]), in_w: Int64(x.shape[3]), out_h: Int64(output[2]),
      out_w: Int64(output[3]), kernel_h: Int64(weight[2]), kernel_w: Int64(weight[3]),
      stride: Int64(settings.stride), padding: Int64(settings.padding), dilation: Int64(settings.dilation),
      offset_groups: Int64(settings.offsetGroups))
    width = withUnsafePointer(to: geometry) { Int(ck_deform_width($0)) }
    interleaved = DeformablePlan.interleaved(x, geometry, width: width)
  }

  private static func interleaved(_ x: Tensor, _ geometry: ck_deform, width: Int) -> Tensor {
    let area = x.shape[2] * x.shape[3]
    var interleaved = Tensor(uninitialized: [x.shape[0], area, width])
    if interleaved.isEmpty { return interleaved }
    let target = interleaved.mutablePointer
    Parallel.forEach(x.shape[0]) { image in
      withUnsafePointer(to: geometry) { g in
        ck_deform_interleave(Backend.isa, g, x.pointer + image * x.shape[1] * area, target + image * area * width)
      }
    }
    return interleaved
  }

  // MARK: Pieces

  /// The number of positions whose columns stay in the second-level cache.
  private var piece: Int { max(32, min(1024, 196_608 / max(1, columns) / 32 * 32)) }
  var pieces: Int { (plane + piece - 1) / piece }
  func range(_ i: Int) -> Range<Int> { i * piece..<min(plane, (i + 1) * piece) }

  // MARK: Parts

  private func imageOffset(_ image: Int) -> UnsafePointer<Float> {
    offset.pointer + image * 2 * settings.offsetGroups * taps * plane
  }

  private func imageMask(_ image: Int) -> UnsafePointer<Float>? {
    mask.map { $0.pointer + image * settings.offsetGroups * taps * plane }
  }

  private func imageInput(_ image: Int) -> UnsafePointer<Float> {
    interleaved.pointer + image * x.shape[2] * x.shape[3] * width
  }

  /// Writes the columns of a range of positions to `target`, `[columns, stride]`.
  func sample(image: Int, range: Range<Int>, into target: UnsafeMutablePointer<Float>, stride: Int? = nil) {
    withUnsafePointer(to: geometry) { g in
      ck_deform_columns(
        Backend.isa, g, imageInput(image), imageOffset(image), imageMask(image), Int64(range.lowerBound),
        Int64(range.count), target, Int64(stride ?? range.count))
    }
  }

  func packedWeight(_ weight: Tensor) -> PackedLeft {
    let depth = columns / settings.groups
    let rows = outputs / settings.groups
    return PackedLeft(
      groups: settings.groups, rows: rows, columns: depth, source: weight.pointer.base, group: rows * depth, row: depth,
      outer: 1)
  }

  /// `out[rows, band] = left · right[depth, band]` for a band of the columns of `right`, whose rows hold `rightPlane`
  /// floats; the rows of `out` hold `outputPlane`.
  func product(
    _ left: UnsafePointer<Float>, depth: Int, _ right: UnsafePointer<Float>, rightPlane: Int, band: Range<Int>,
    rows: Int, bias: UnsafePointer<Float>?, _ out: UnsafeMutablePointer<Float>, outputPlane: Int
  ) {
    pointSum(depth: depth, inputPlane: rightPlane, rows: rows, outputPlane: outputPlane).withC { c in
      ck_tap_sum_forward(
        Backend.isa, c, left, right, bias, out, 0, Int64(rows), Int64(band.lowerBound), Int64(band.count))
    }
  }

  /// A sum over `depth` rows with a single tap; positions are contiguous.
  private func pointSum(depth: Int, inputPlane: Int, rows: Int, outputPlane: Int) -> TapSum {
    TapSum(
      channels: depth, inputHeight: inputPlane, inputWidth: 1, inputImage: 0, stride: 1, taps: [(0, 0)],
      outputChannels: rows, outputHeight: inputPlane, outputWidth: 1, outputImage: 0, outputChannel: outputPlane,
      outputRow: 1, outputColumn: 1)
  }

  // MARK: Gradients

  /// The gradient of the weights: chunks of 2048 flattened positions, one chain each, added in ascending order.
  func weightGradient(_ dy: Tensor, shape: Shape) -> Tensor {
    let positions = images * plane
    let chunk = WeightGradientPlan.chunkPositions
    let chunks = (positions + chunk - 1) / chunk
    let groups = settings.groups
    let depth = columns / groups
    let rows = outputs / groups
    let lanes = Int(ck_weight_lanes(Backend.isa, Int64(rows)))
    let size = groups * depth * lanes
    var partials = Tensor(uninitialized: [chunks, size])
    var dw = Tensor(uninitialized: shape)
    let partial = partials.mutablePointer
    let target = dw.mutablePointer
    Parallel.forEach(chunks) { i in
      let first = i * chunk
      let count = min(chunk, positions - first)
      var samples = Tensor(uninitialized: [columns, count])
      var gradient = Tensor(uninitialized: [outputs, count])
      let into = samples.mutablePointer
      let copy = gradient.mutablePointer
      var position = first
      while position < first + count {
        let start = position % plane
        let length = min(plane - start, first + count - position)
        let image = position / plane
        sample(image: image, range: start..<start + length, into: into + (position - first), stride: count)
        for channel in 0..<outputs {
          (copy + channel * count + (position - first))
            .update(from: dy.pointer + (image * outputs + channel) * plane + start, count: length)
        }
        position += length
      }
      pointSum(depth: depth, inputPlane: count, rows: rows, outputPlane: count).withC { c in
        for group in 0..<groups {
          ck_tap_sum_weight_chunk(
            Backend.isa, c, into + group * depth * count, copy + group * rows * count, 0, Int64(depth), 0,
            Int64(count), partial + i * size + group * depth * lanes)
        }
      }
    }
    for group in 0..<groups {
      ck_fold_weight_chunks(
        Backend.isa, Int64(chunks), Int64(size), partial + group * depth * lanes, Int64(lanes), Int64(depth), 1,
        Int64(rows),
        target + group * rows * depth, Int64(depth), 1)
    }
    return dw
  }

  /// The weights as `[outputs, taps, width]`: the right factor of the product that gives the gradient of the columns in
  /// the layout of interleaved images. Channels of other groups and of the padding are zero.
  private func interleavedWeight(_ weight: Tensor) -> Tensor {
    let channels = weight.shape[1]
    let perOffsetGroup = x.shape[1] / settings.offsetGroups
    let padded = width / settings.offsetGroups
    var result = Tensor(zeros: [outputs, taps, width])
    let target = result.mutablePointer
    for output in 0..<outputs {
      for i in 0..<channels {
        let channel = output / (outputs / settings.groups) * channels + i
        let lane = channel / perOffsetGroup * padded + channel % perOffsetGroup
        for t in 0..<taps {
          target[(output * taps + t) * width + lane] = weight.pointer[(output * channels + i) * taps + t]
        }
      }
    }
    return result
  }

  /// The gradients of input, offset and mask, from the gradient of the columns, some images at a time.
  func positionGradients(
    _ dy: Tensor, weight: Tensor, dx: UnsafeMutablePointer<Float>, doffset: UnsafeMutablePointer<Float>,
    dmask: UnsafeMutablePointer<Float>?
  ) {
    let right = interleavedWeight(weight)
    let row = taps * width
    let wave = max(1, min(images, 16_777_216 / (row * plane)))
    var buffer = Tensor(uninitialized: [wave, plane, row])
    let dcolumns = buffer.mutablePointer
    let perOffset = settings.offsetGroups * taps * plane
    let corners = UnsafeMutablePointer<ck_deform_corner>.allocate(capacity: wave * perOffset)
    defer { corners.deallocate() }
    let blocks = width / 16
    let image = x.shape[1] * x.shape[2] * x.shape[3]
    for first in stride(from: 0, to: images, by: wave) {
      let count = min(wave, images - first)
      Parallel.forEach(count * pieces) { i in
        let local = i / pieces
        let n = first + local
        let band = range(i % pieces)
        let target = dcolumns + local * plane * row
        // Rows are positions, so the output gradient is the transposed left factor.
        let left = PackedLeft(
          rows: band.count, columns: outputs, source: dy.pointer + n * outputs * plane + band.lowerBound, row: 1,
          outer: plane)
        ck_matrix_product(
          Backend.isa, Int64(band.count), Int64(outputs), left.pointer(group: 0), 0, Int64(band.count),
          right.pointer.base,
          Int64(row), 1, 0, Int64(row), nil, target + band.lowerBound * row, Int64(row))
        withUnsafePointer(to: geometry) { g in
          ck_deform_tap_gradients(
            Backend.isa, g, imageInput(n), imageOffset(n), imageMask(n), target, Int64(band.lowerBound),
            Int64(band.count), doffset + n * 2 * perOffset, dmask.map { $0 + n * perOffset })
          ck_deform_corners(
            Backend.isa, g, imageOffset(n), imageMask(n), Int64(band.lowerBound), Int64(band.count),
            corners + local * perOffset)
        }
      }
      Parallel.forEach(count * blocks) { i in
        let local = i / blocks
        withUnsafePointer(to: geometry) { g in
          ck_deform_input_gradient(
            Backend.isa, g, corners + local * perOffset, dcolumns + local * plane * row, Int64(i % blocks),
            dx + (first + local) * image)
        }
      }
    }
  }
}
