import CKernels
import Determinism

/// Two-dimensional convolution (cross-correlation) of `[N, C, H, W]` feature maps: dense, grouped, strided, dilated.
///
/// Weights are `[outputChannels, inputChannels / groups, kernelHeight, kernelWidth]`. Every result is one chain of
/// fused multiply-adds over (input channel of the group, ky, kx), then the bias, then `+ (+0)`.
public struct Convolution2D: Hashable, Sendable {
  /// Distance between neighbouring outputs, in input pixels; 1 to 8.
  public var stride: Int
  /// Zero rows and columns on every side.
  public var padding: Int
  /// Distance between neighbouring taps, in pixels.
  public var dilation: Int
  /// Groups of channels that are convolved separately.
  public var groups: Int

  public init(stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1) {
    precondition(
      stride >= 1 && stride <= 8 && padding >= 0 && dilation >= 1 && groups >= 1,
      "Convolution2D: stride \(stride), padding \(padding), dilation \(dilation), groups \(groups)")
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
  }

  /// Output positions along an axis of `extent` input positions; 0 where the kernel does not fit.
  public func outputExtent(_ extent: Int, kernel: Int) -> Int {
    let room = extent + 2 * padding - dilation * (kernel - 1) - 1
    return room < 0 ? 0 : room / stride + 1
  }

  /// `[N, outputChannels, H', W']` for an input and a weight of these shapes.
  public func outputShape(input: Shape, weight: Shape) -> Shape {
    check(input: input, weight: weight)
    return [
      input[0], weight[0], outputExtent(input[2], kernel: weight[2]), outputExtent(input[3], kernel: weight[3]),
    ]
  }

  private func check(input: Shape, weight: Shape) {
    precondition(
      input.rank == 4 && weight.rank == 4 && input[1] == weight[1] * groups && weight[0] % groups == 0,
      "Convolution2D: input \(input), weight \(weight), \(groups) groups")
  }

  private func check(dy: Shape, input: Shape, weight: Shape) {
    precondition(
      dy == outputShape(input: input, weight: weight),
      "Convolution2D: gradient \(dy), input \(input), weight \(weight)")
  }

  func isDepthwise(input: Shape, weight: Shape) -> Bool {
    groups > 1 && groups == input[1] && weight[0] == groups && weight[1] == 1
  }

  // MARK: Values

  /// The convolution of `x`.
  /// - Parameter bias: `[outputChannels]`.
  /// - Returns: `[N, outputChannels, H', W']`; empty for an empty batch.
  public func forward(_ x: Tensor, weight: Tensor, bias: Tensor? = nil) -> Tensor {
    let shape = outputShape(input: x.shape, weight: weight.shape)
    precondition(bias == nil || bias!.count == shape[1], "Convolution2D: bias \(bias!.shape) for output \(shape)")
    if let device = Device.current, device.takes(x, weight), shape.count > 0 {
      return isDepthwise(input: x.shape, weight: weight.shape)
        ? device.depthwiseForward(
          depthwiseGeometry(input: x.shape, weight: weight.shape), x, weight: weight, bias: bias, shape)
        : device.convolve(self, x, weight: weight, bias: bias, shape)
    }
    var y = Tensor(uninitialized: shape)
    if y.isEmpty { return y }
    if isDepthwise(input: x.shape, weight: weight.shape) {
      depthwiseForward(x, weight: weight, bias: bias, into: &y)
      return y
    }
    if let library = Engine.openBLAS { return forward(x, weight: weight, bias: bias, with: library) }
    let kernel = weight.shape[2] * weight.shape[3]
    let outputs = shape[1] / groups
    let inner = weight.shape[1] * kernel
    let packed = PackedLeft(
      groups: groups, rows: outputs, columns: inner, offsets: Array(0..<kernel), source: weight.pointer.base,
      group: outputs * inner, row: inner, outer: kernel)
    run(
      tapSum(input: x.shape, weight: weight.shape), images: x.shape[0], left: packed, input: x.pointer.base,
      inputGroup: weight.shape[1] * x.shape[2] * x.shape[3], bias: bias?.pointer.base, output: y.mutablePointer.base,
      outputGroup: outputs * shape[2] * shape[3])
    return y
  }

  /// The gradient of the input, of shape `inputShape`: a gather over (output channel of the group, ky, kx).
  public func inputGradient(_ dy: Tensor, weight: Tensor, inputShape: Shape) -> Tensor {
    check(dy: dy.shape, input: inputShape, weight: weight.shape)
    return gatherGradient(dy, weight: weight, bias: nil, inputShape: inputShape)
  }

  /// `inputGradient` with a bias per input channel; the forward direction of a transposed convolution.
  func gatherGradient(_ dy: Tensor, weight: Tensor, bias: Tensor?, inputShape: Shape) -> Tensor {
    let (kh, kw) = (weight.shape[2], weight.shape[3])
    let (height, width) = (inputShape[2], inputShape[3])
    if dy.isEmpty || inputShape.count == 0 { return Tensor(zeros: inputShape) }
    if bias == nil && isDepthwise(input: inputShape, weight: weight.shape) {
      return depthwiseInputGradient(dy, weight: weight, inputShape: inputShape)
    }
    if let device = Device.current, device.takes(dy, weight) {
      return device.gatherGradient(self, dy, weight: weight, bias: bias, inputShape: inputShape)
    }
    if let library = Engine.openBLAS {
      return inputGradient(dy, weight: weight, bias: bias, inputShape: inputShape, with: library)
    }
    let inputs = weight.shape[1]
    let outputs = weight.shape[0] / groups
    let phases = gatherPhases(weight: weight.shape, height: height, width: width)
    let covered = phases.allSatisfy { !$0.taps.isEmpty }
    precondition(covered || bias == nil, "Convolution2D: a transposed convolution must reach every position")
    var dx = covered ? Tensor(uninitialized: inputShape) : Tensor(zeros: inputShape)
    for phase in phases where !phase.taps.isEmpty && phase.y < height && phase.x < width {
      let packed = PackedLeft(
        groups: groups, rows: inputs, columns: outputs * phase.taps.count, offsets: phase.taps,
        source: weight.pointer.base, group: outputs * inputs * kh * kw, row: kh * kw, outer: inputs * kh * kw)
      let sum = phaseSum(phase, dy: dy.shape, weight: weight.shape, inputShape: inputShape)
      run(
        sum, images: dy.shape[0], left: packed, input: dy.pointer.base,
        inputGroup: outputs * dy.shape[2] * dy.shape[3], bias: bias?.pointer.base,
        output: dx.mutablePointer + phase.y * width + phase.x, outputGroup: inputs * height * width)
    }
    return dx
  }

  /// The input positions of one residue modulo the stride; they are read by the same taps.
  struct GatherPhase {
    /// The residue.
    var y: Int
    var x: Int
    /// Indices ky · kernelWidth + kx.
    var taps: [Int]
    /// Offsets of the taps in the output gradient, relative to the position's index in its phase.
    var positions: [(y: Int, x: Int)]
  }

  /// The tap sum of one group at the positions of a phase.
  func phaseSum(_ phase: GatherPhase, dy: Shape, weight: Shape, inputShape: Shape) -> TapSum {
    let (height, width) = (inputShape[2], inputShape[3])
    return TapSum(
      channels: weight[0] / groups, inputHeight: dy[2], inputWidth: dy[3], inputImage: dy[1] * dy[2] * dy[3], stride: 1,
      taps: phase.positions, outputChannels: weight[1], outputHeight: (height - phase.y + stride - 1) / stride,
      outputWidth: (width - phase.x + stride - 1) / stride, outputImage: inputShape[1] * height * width,
      outputChannel: height * width, outputRow: stride * width, outputColumn: stride)
  }

  func gatherPhases(weight: Shape, height: Int, width: Int) -> [GatherPhase] {
    var phases: [GatherPhase] = []
    for ry in 0..<min(stride, height) {
      for rx in 0..<min(stride, width) {
        var phase = GatherPhase(y: ry, x: rx, taps: [], positions: [])
        for t in 0..<weight[2] * weight[3] {
          let y = ry + padding - t / weight[3] * dilation
          let x = rx + padding - t % weight[3] * dilation
          guard y % stride == 0 && x % stride == 0 else { continue }
          phase.taps.append(t)
          phase.positions.append((y / stride, x / stride))
        }
        phases.append(phase)
      }
    }
    return phases
  }

  /// The gradient of the bias, `[outputChannels]`: the sum of a channel's planes in image order, rounded once.
  public func biasGradient(_ dy: Tensor) -> Tensor {
    precondition(dy.shape.rank == 4, "Convolution2D: gradient \(dy.shape)")
    if let device = Device.current, device.takes(dy) { return device.biasGradient(dy) }
    let (images, channels, plane) = (dy.shape[0], dy.shape[1], dy.shape[2] * dy.shape[3])
    var db = Tensor(uninitialized: [channels])
    let out = db.mutablePointer
    let source = dy.pointer
    Parallel.forEachChunk(channels, chunk: max(1, 65_536 / max(1, images * plane))) { range in
      for c in range {
        var sum = 0.0
        for n in 0..<images { sum += ck_plane_sum(source + (n * channels + c) * plane, Int64(plane)) }
        out[c] = Float(sum) + 0
      }
    }
    return db
  }

  // MARK: Parts

  /// The tap sum of one group.
  func tapSum(input: Shape, weight: Shape) -> TapSum {
    let output = outputShape(input: input, weight: weight)
    var taps: [(y: Int, x: Int)] = []
    for ky in 0..<weight[2] {
      for kx in 0..<weight[3] { taps.append((ky * dilation - padding, kx * dilation - padding)) }
    }
    return TapSum(
      channels: weight[1], inputHeight: input[2], inputWidth: input[3], inputImage: input[1] * input[2] * input[3],
      stride: stride, taps: taps, outputChannels: weight[0] / groups, outputHeight: output[2],
      outputWidth: output[3], outputImage: output[1] * output[2] * output[3],
      outputChannel: output[2] * output[3], outputRow: output[3], outputColumn: 1)
  }

  private func run(
    _ sum: TapSum, images: Int, left: PackedLeft, input: UnsafePointer<Float>, inputGroup: Int,
    bias: UnsafePointer<Float>?, output: UnsafeMutablePointer<Float>, outputGroup: Int
  ) {
    let pieces = sum.pieces(images: images)
    sum.withC { c in
      Parallel.forEach(pieces.count * groups) { i in
        let piece = pieces[i / groups]
        let group = i % groups
        ck_tap_sum_forward(
          Backend.isa, c, left.pointer(group: group), input + group * inputGroup,
          bias.map { $0 + group * sum.outputChannels }, output + group * outputGroup,
          Int64(piece.channels.lowerBound), Int64(piece.channels.upperBound), Int64(piece.positions.lowerBound),
          Int64(piece.positions.count))
      }
    }
  }
}
