import CKernels
import Determinism

/// Modulated deformable convolution (DCNv2): every tap samples bilinearly at its regular position plus a learned
/// offset, and the sample is scaled by a mask.
///
/// - `x`: `[N, C, H, W]`; `weight`: `[outputChannels, C / groups, kernelHeight, kernelWidth]`.
/// - `offset`: `[N, 2 · offsetGroups · taps, H', W']`, vertical then horizontal for each tap, in feature cells.
/// - `mask`: `[N, offsetGroups · taps, H', W']`, after the sigmoid; `nil` means ones.
///
/// A sample is 0 unless −1 < y < H and −1 < x < W; corners outside count as 0.
/// - SeeAlso: Zhu et al. 2019, "Deformable ConvNets v2".
public struct DeformableConvolution: Hashable, Sendable {
  /// As in `Convolution2D`, like the next three.
  public var stride: Int
  public var padding: Int
  public var dilation: Int
  public var groups: Int
  /// The number of groups of input channels; each has its own offsets and masks.
  public var offsetGroups: Int

  public init(stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1, offsetGroups: Int = 1) {
    precondition(offsetGroups >= 1, "DeformableConvolution: \(offsetGroups) offset groups")
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    self.offsetGroups = offsetGroups
  }

  private var convolution: Convolution2D {
    Convolution2D(stride: stride, padding: padding, dilation: dilation, groups: groups)
  }

  /// `[N, outputChannels, H', W']` for an input and a weight of these shapes.
  public func outputShape(input: Shape, weight: Shape) -> Shape {
    convolution.outputShape(input: input, weight: weight)
  }

  /// The convolution of `x`.
  /// - Returns: `[N, outputChannels, H', W']`; empty for an empty batch.
  public func forward(_ x: Tensor, offset: Tensor, mask: Tensor?, weight: Tensor, bias: Tensor? = nil) -> Tensor {
    if let device = Device.current, device.takes(x, offset, weight),
      case let shape = output(x, offset, mask, weight: weight.shape), shape.count > 0
    {
      return device.deform(self, x, offset: offset, mask: mask, weight: weight, bias: bias, shape)
    }
    let plan = DeformablePlan(self, x: x, offset: offset, mask: mask, weight: weight.shape)
    precondition(
      bias == nil || bias!.count == weight.shape[0], "DeformableConvolution: bias \(bias!.shape), \(weight.shape)")
    var y = Tensor(uninitialized: plan.output)
    if y.isEmpty { return y }
    let packed = plan.packedWeight(weight)
    let out = y.mutablePointer
    Parallel.forEach(plan.images * plan.pieces) { i in
      let image = i / plan.pieces
      let range = plan.range(i % plan.pieces)
      var columns = Tensor(uninitialized: [plan.columns, range.count])
      let buffer = columns.mutablePointer
      plan.sample(image: image, range: range, into: buffer.base)
      for group in 0..<groups {
        let depth = plan.columns / groups
        let rows = plan.outputs / groups
        plan.product(
          packed.pointer(group: group), depth: depth, buffer + group * depth * range.count, rightPlane: range.count,
          band: 0..<range.count, rows: rows, bias: bias.map { $0.pointer + group * rows },
          out + (image * plan.outputs + group * rows) * plan.plane + range.lowerBound, outputPlane: plan.plane)
      }
    }
    return y
  }

  /// The shape of the output, after a check of all inputs.
  func output(_ x: Tensor, _ offset: Tensor, _ mask: Tensor?, weight: Shape) -> Shape {
    let output = outputShape(input: x.shape, weight: weight)
    let channels = offsetGroups * weight[2] * weight[3]
    precondition(
      x.shape[1] % offsetGroups == 0 && offset.shape == [output[0], 2 * channels, output[2], output[3]]
        && (mask == nil || mask!.shape == [output[0], channels, output[2], output[3]]),
      "DeformableConvolution: input \(x.shape), offset \(offset.shape), output \(output)")
    return output
  }

  /// The gradients of all inputs but the bias (see `Convolution2D.biasGradient`), each of its input's shape.
  public struct Gradients: Sendable {
    public var x: Tensor
    public var offset: Tensor
    /// Nil where the convolution has no mask.
    public var mask: Tensor?
    public var weight: Tensor
  }

  /// The backward pass of `forward` for the output gradient `dy`.
  public func gradients(_ dy: Tensor, _ x: Tensor, offset: Tensor, mask: Tensor?, weight: Tensor) -> Gradients {
    if let device = Device.current, !dy.isEmpty, !x.isEmpty, device.takes(dy, x, offset, weight),
      output(x, offset, mask, weight: weight.shape) == dy.shape
    {
      return device.deformGradients(self, dy, x, offset: offset, mask: mask, weight: weight)
    }
    let plan = DeformablePlan(self, x: x, offset: offset, mask: mask, weight: weight.shape)
    precondition(dy.shape == plan.output, "DeformableConvolution: gradient \(dy.shape) of \(plan.output)")
    if dy.isEmpty || x.isEmpty {
      return Gradients(
        x: Tensor(zeros: x.shape), offset: Tensor(zeros: offset.shape), mask: mask.map { Tensor(zeros: $0.shape) },
        weight: Tensor(zeros: weight.shape))
    }
    var result = Gradients(
      x: Tensor(uninitialized: x.shape), offset: Tensor(uninitialized: offset.shape),
      mask: mask.map { Tensor(uninitialized: $0.shape) }, weight: plan.weightGradient(dy, shape: weight.shape))
    plan.positionGradients(
      dy, weight: weight, dx: result.x.mutablePointer.base, doffset: result.offset.mutablePointer.base,
      dmask: result.mask?.mutablePointer.base)
    return result
  }
}
