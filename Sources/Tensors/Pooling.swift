import CKernels
import Determinism

// `x` is [N, C, H, W]; windows are square. Every function works plane by plane.

/// The geometry of a pooling window.
public struct PoolingWindow: Sendable, Hashable {
  /// Height and width of the window in pixels.
  public var kernelSize: Int
  /// Distance between neighbouring windows in pixels.
  public var stride: Int
  /// Rows and columns of padding on every side.
  public var padding: Int
  /// Round the number of windows up, so that a last window may extend beyond the border; it still starts inside the
  /// image or its leading padding.
  public var ceilMode: Bool

  /// - Precondition: padding is at most half the kernel, so that every window contains a pixel.
  public init(kernelSize: Int, stride: Int, padding: Int = 0, ceilMode: Bool = false) {
    precondition(
      kernelSize > 0 && stride > 0 && padding >= 0 && 2 * padding <= kernelSize,
      "pooling: kernel \(kernelSize), stride \(stride), padding \(padding)")
    self.kernelSize = kernelSize
    self.stride = stride
    self.padding = padding
    self.ceilMode = ceilMode
  }

  /// The number of windows along an axis of `extent` pixels.
  public func outputExtent(_ extent: Int) -> Int {
    let room = extent + 2 * padding - kernelSize
    precondition(extent > 0 && room >= 0, "pooling: kernel \(kernelSize) over \(extent) pixels, padding \(padding)")
    guard ceilMode else { return room / stride + 1 }
    let count = (room + stride - 1) / stride + 1
    return (count - 1) * stride >= extent + padding ? count - 1 : count
  }

  func outputShape(_ x: Shape) -> Shape {
    precondition(x.rank == 4, "pooling: \(x) is not [N, C, H, W]")
    return [x[0], x[1], outputExtent(x[2]), outputExtent(x[3])]
  }
}

/// The places of the maxima of `Pooling.maximum`, each the index in its plane.
public struct PoolingIndices: Sendable {
  let window: PoolingWindow
  /// The bits of 32-bit integers.
  let bits: Tensor

  /// Row-major.
  public var array: [Int32] { bits.array.map { Int32(bitPattern: $0.bitPattern) } }
}

/// Pooling and subsampling of feature maps, and their gradients.
public enum Pooling {
  // MARK: Maximum

  /// The maximum of every window; padding is ignored.
  ///
  /// - Returns: the maxima and, for the backward pass, the index of each in its plane: the first in row-major order
  ///   where several are equal.
  public static func maximum(_ x: Tensor, _ window: PoolingWindow) -> (output: Tensor, indices: PoolingIndices) {
    let shape = window.outputShape(x.shape)
    if let device = Device.current, device.takes(x), shape.count > 0 {
      let (out, indices) = device.maximum(x, window, shape)
      return (out, PoolingIndices(window: window, bits: indices))
    }
    var out = Tensor(uninitialized: shape)
    let (h, w, oh, ow) = (x.shape[2], x.shape[3], out.shape[2], out.shape[3])
    let source = x.pointer
    let target = out.mutablePointer
    let kernel = Backend.maps.max_pool
    let taps = window.kernelSize * window.kernelSize
    var indices = Tensor(uninitialized: shape)
    indices.mutablePointer.base.withMemoryRebound(to: Int32.self, capacity: shape.count) { base in
      Loops.planes(x.shape[0] * x.shape[1], size: oh * ow, cost: taps) { plane in
        kernel(
          h, w, oh, ow, window.kernelSize, window.stride, window.padding, source + plane * h * w,
          target + plane * oh * ow, base + plane * oh * ow)
      }
    }
    return (out, PoolingIndices(window: window, bits: indices))
  }

  /// The gradient of `maximum`: every output's gradient is added at its maximum, in row-major order of the output.
  public static func maximumGradient(upstream: Tensor, indices: PoolingIndices, input: Shape) -> Tensor {
    precondition(
      input.rank == 4 && upstream.shape == indices.bits.shape && upstream.shape[0] == input[0]
        && upstream.shape[1] == input[1], "maximumGradient: \(upstream.shape) for \(input)")
    if let device = Device.current, device.takes(upstream) {
      return device.maximumGradient(upstream, indices: indices.bits, indices.window, input)
    }
    if upstream.isEmpty { return Tensor(zeros: input) }
    var dx = Tensor(uninitialized: input)
    let dy = upstream.pointer
    let target = dx.mutablePointer
    let size = input.planeSize
    let outputs = upstream.shape.planeSize
    let kernel = Backend.maps.max_pool_gradient
    indices.bits.pointer.base.withMemoryRebound(to: Int32.self, capacity: upstream.count) { base in
      Loops.planes(input[0] * input[1], size: max(size, outputs)) { plane in
        kernel(size, outputs, base + plane * outputs, dy + plane * outputs, target + plane * size)
      }
    }
    return dx
  }

  // MARK: Average

  /// `[N, C]`: the mean of every plane (numerics 5), rounded once.
  public static func globalAverage(_ x: Tensor) -> Tensor {
    precondition(x.shape.rank >= 3 && x.shape.planeSize > 0, "globalAverage: \(x.shape)")
    let size = x.shape.planeSize
    if let device = Device.current, device.takes(x) {
      return device.foldPlanes(.values(x), x.shape, into: [x.shape[0], x.shape[1]], divisor: Double(size))
    }
    let source = x.pointer
    let kernel = Backend.maps.sum
    return Reduction.foldPlanes(x.shape, into: [x.shape[0], x.shape[1]], divisor: Double(size)) { plane in
      kernel(size, source + plane * size)
    }
  }

  /// The gradient of `globalAverage`: `upstream / (H W)` everywhere in the plane.
  public static func globalAverageGradient(upstream: Tensor, input: Shape) -> Tensor {
    precondition(
      input.rank >= 3 && upstream.shape == [input[0], input[1]],
      "globalAverageGradient: \(upstream.shape) for \(input)")
    if let device = Device.current, device.takes(upstream), input.count > 0 {
      return device.averageGradient(upstream, input)
    }
    var dx = Tensor(uninitialized: input)
    let dy = upstream.pointer
    let target = dx.mutablePointer
    let size = input.planeSize
    Loops.planes(input[0] * input[1], size: size) { plane in
      (target + plane * size).update(repeating: dy[plane] / Float(size), count: size)
    }
    return dx
  }

  // MARK: Every second pixel

  /// Every `stride`-th pixel of every `stride`-th row, from the first: maximum pooling with kernel 1.
  public static func subsample(_ x: Tensor, stride: Int = 2) -> Tensor {
    precondition(x.shape.rank == 4 && stride > 0, "subsample: \(x.shape), stride \(stride)")
    let (h, w) = (x.shape[2], x.shape[3])
    let (oh, ow) = ((h + stride - 1) / stride, (w + stride - 1) / stride)
    if let device = Device.current, device.takes(x) {
      let shape: Shape = [x.shape[0], x.shape[1], oh, ow]
      return device.resample("subsample", x, input: x.shape, output: shape, result: shape, stride: stride)
    }
    var out = Tensor(uninitialized: [x.shape[0], x.shape[1], oh, ow])
    let source = x.pointer
    let target = out.mutablePointer
    Loops.planes(x.shape[0] * x.shape[1], size: oh * ow) { plane in
      for y in 0..<oh {
        let row = source + (plane * h + y * stride) * w
        let to = target + (plane * oh + y) * ow
        for i in 0..<ow { to[i] = row[i * stride] }
      }
    }
    return out
  }

  /// The gradient of `subsample`: zero except at the pixels that were taken.
  public static func subsampleGradient(upstream: Tensor, input: Shape, stride: Int = 2) -> Tensor {
    let (h, w) = (input[2], input[3])
    let (oh, ow) = ((h + stride - 1) / stride, (w + stride - 1) / stride)
    precondition(upstream.shape == [input[0], input[1], oh, ow], "subsampleGradient: \(upstream.shape) for \(input)")
    if let device = Device.current, device.takes(upstream) {
      return device.resample(
        "subsample_gradient", upstream, input: input, output: upstream.shape, result: input, stride: stride)
    }
    var dx = Tensor(zeros: input)
    let dy = upstream.pointer
    let target = dx.mutablePointer
    Loops.planes(input[0] * input[1], size: oh * ow) { plane in
      for y in 0..<oh {
        let row = target + (plane * h + y * stride) * w
        let from = dy + (plane * oh + y) * ow
        for i in 0..<ow { row[i * stride] = from[i] }
      }
    }
    return dx
  }
}
