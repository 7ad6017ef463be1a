import Determinism
import Foundation

@testable import Tensors

/// The definitions of the products as plain loops that add in the same order as the engine, so that all bits must be
/// equal.
enum ProductReference {
  static func fma(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }

  static func matmul(_ a: Tensor, _ transposeA: Bool, _ b: Tensor, _ transposeB: Bool, bias: Tensor? = nil) -> Tensor {
    let (m, k) = transposeA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
    let n = transposeB ? b.shape[0] : b.shape[1]
    let (x, y) = (a.array, b.array)
    return Tensor(shape: [m, n]) { index in
      let (i, j) = (index / n, index % n)
      var sum: Float = 0
      for q in 0..<k {
        sum = fma(x[transposeA ? q * m + i : i * k + q], y[transposeB ? j * k + q : q * n + j], sum)
      }
      if let bias { sum += bias[flat: j] }
      return sum + 0
    }
  }

  /// Calls `body` with (image, output channel, group-relative input channel, ky, kx, oy, ox, iy, ix) inside the image.
  private struct Loops {
    let c: Convolution2D
    let x: Shape
    let w: Shape
    let y: Shape
    func input(_ oy: Int, _ ky: Int) -> Int { oy * c.stride + ky * c.dilation - c.padding }
    func x(_ n: Int, _ o: Int, _ i: Int, _ iy: Int, _ ix: Int) -> Int {
      ((n * x[1] + o / (w[0] / c.groups) * w[1] + i) * x[2] + iy) * x[3] + ix
    }
  }

  static func forward(_ c: Convolution2D, _ x: Tensor, _ w: Tensor, bias: Tensor?) -> Tensor {
    let shape = c.outputShape(input: x.shape, weight: w.shape)
    let loops = Loops(c: c, x: x.shape, w: w.shape, y: shape)
    let (xs, ws) = (x.array, w.array)
    return Tensor(shape: shape) { index in
      let ox = index % shape[3]
      let oy = index / shape[3] % shape[2]
      let o = index / (shape[3] * shape[2]) % shape[1]
      let n = index / (shape[3] * shape[2] * shape[1])
      var sum: Float = 0
      for i in 0..<w.shape[1] {
        for ky in 0..<w.shape[2] {
          for kx in 0..<w.shape[3] {
            let (iy, ix) = (loops.input(oy, ky), loops.input(ox, kx))
            guard iy >= 0, ix >= 0, iy < x.shape[2], ix < x.shape[3] else { continue }
            let weight = ((o * w.shape[1] + i) * w.shape[2] + ky) * w.shape[3] + kx
            sum = fma(ws[weight], xs[loops.x(n, o, i, iy, ix)], sum)
          }
        }
      }
      if let bias { sum += bias[flat: o] }
      return sum + 0
    }
  }

  static func inputGradient(
    _ c: Convolution2D, _ dy: Tensor, _ w: Tensor, _ shape: Shape, bias: Tensor? = nil
  ) -> Tensor {
    let outputs = w.shape[0] / c.groups
    let (ds, ws) = (dy.array, w.array)
    let plane = shape[2] * shape[3]
    return Tensor(shape: shape) { index in
      let (ix, iy) = (index % shape[3], index / shape[3] % shape[2])
      let channel = index / plane % shape[1]
      let n = index / (plane * shape[1])
      let group = channel / w.shape[1]
      var sum: Float = 0
      for o in group * outputs..<(group + 1) * outputs {
        for ky in 0..<w.shape[2] {
          for kx in 0..<w.shape[3] {
            let y = iy + c.padding - ky * c.dilation
            let x = ix + c.padding - kx * c.dilation
            guard y >= 0, x >= 0, y % c.stride == 0, x % c.stride == 0 else { continue }
            let (oy, ox) = (y / c.stride, x / c.stride)
            guard oy < dy.shape[2], ox < dy.shape[3] else { continue }
            let weight = ((o * w.shape[1] + channel % w.shape[1]) * w.shape[2] + ky) * w.shape[3] + kx
            sum = fma(ws[weight], ds[((n * dy.shape[1] + o) * dy.shape[2] + oy) * dy.shape[3] + ox], sum)
          }
        }
      }
      if let bias { sum += bias[flat: channel] }
      return sum + 0
    }
  }

  static func weightGradient(_ c: Convolution2D, _ dy: Tensor, _ x: Tensor, _ shape: Shape) -> Tensor {
    let loops = Loops(c: c, x: x.shape, w: shape, y: dy.shape)
    let (xs, ds) = (x.array, dy.array)
    let plane = dy.shape[2] * dy.shape[3]
    let positions = dy.shape[0] * plane
    return Tensor(shape: shape) { index in
      let kx = index % shape[3]
      let ky = index / shape[3] % shape[2]
      let i = index / (shape[3] * shape[2]) % shape[1]
      let o = index / (shape[3] * shape[2] * shape[1])
      var total: Float = 0
      for first in stride(from: 0, to: positions, by: 2048) {
        var sum: Float = 0
        for p in first..<min(positions, first + 2048) {
          let (n, oy, ox) = (p / plane, p % plane / dy.shape[3], p % dy.shape[3])
          let (iy, ix) = (loops.input(oy, ky), loops.input(ox, kx))
          guard iy >= 0, ix >= 0, iy < x.shape[2], ix < x.shape[3] else { continue }
          sum = fma(xs[loops.x(n, o, i, iy, ix)], ds[(n * dy.shape[1] + o) * plane + p % plane], sum)
        }
        total = first == 0 ? sum : total + sum
      }
      return total + 0
    }
  }

  /// Random values, among them zeros of both signs, subnormals, small and large numbers.
  static func values(_ shape: Shape, _ name: String, extreme: Bool = true) -> Tensor {
    var random = Seeds(kind: "product-tests", seed: 1).stream(name + shape.description)
    let values = (0..<shape.count).map { _ -> Float in
      let v = Float(random.uniform()) * 2 - 1
      guard extreme else { return v }
      switch random.below(48) {
      case 0: return -0.0
      case 1: return v * 1e-19 * 1e-20
      case 2: return v * 1e-25
      case 3: return v * 1e15
      default: return v
      }
    }
    return Tensor(values, shape: shape)
  }
}
